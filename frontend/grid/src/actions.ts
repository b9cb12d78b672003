// What a person does with cells, as the one command that it becomes: paste, fill, clear, copy, delete rows.

import { carried, inputOf } from "./cell-conversion";
import { isNumber, plainText, type Context } from "../../sheet/src/format";
import type { Edit } from "../../sheet/src/commands";
import type { SheetSession } from "../../sheet/src/session";
import type { SheetView } from "../../sheet/src/view";
import type { Pasted } from "./html-table";
import type { Column, Input, RowRef } from "../../sheet/src/types";

export interface Rect {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** So many cells are read and written at once, as several actions where they are more than the server takes as one. */
export const MOST_CELLS = 100_000;

export interface Hands {
  view: SheetView;
  session: SheetSession;
  columns: Column[];
  context: Context;
  canEdit: boolean;
  canAdd: boolean;
  notice: (text: string) => void;
  /** A block does not fit: ask what to do with the rest of it, before anything is written. */
  askTooLarge: (paste: TooLarge) => void;
}

/** A block of cells on its way to a place of the grid. */
export interface Paste {
  at: { x: number; y: number };
  block: Pasted[][];
}

/** How many of its last columns and rows have no place. */
export interface TooLarge extends Paste {
  columns: number;
  rows: number;
}

/** Do this once the rows of these rectangles are read: what is written over must be known by row, not by place. */
export function withRows(hands: Hands, rects: readonly Rect[], act: () => void): void {
  const { blocks, lines } = hands.view.reader;
  const cells = rects.reduce((sum, { width, height }) => sum + width * height, 0);
  if (cells > MOST_CELLS) {
    hands.notice(`${cells.toLocaleString()} cells are too many at once; ${MOST_CELLS.toLocaleString()} is the limit. Nothing was changed; import a file instead.`);
    return;
  }
  const spans = rects.map(({ y, height }) => [y, Math.min(y + height, lines.ordered) - 1] as const);
  const missing = spans.filter(([first, last]) => !blocks.hasAll(first, last));
  if (missing.length === 0) {
    act();
    return;
  }
  const reading = Promise.all(missing.map(([first, last]) => blocks.load(first, last)));
  reading.then(act, () => hands.notice("The rows could not be read. Nothing was changed; try again."));
}

/** The row on this line. On the empty line and beyond it a new row begins, if this person may add rows. */
function refAt(hands: Hands, y: number): RowRef | null {
  const line = hands.view.reader.lines.at(y);
  if (line.kind === "row") return line.id;
  if (line.kind === "draft") return line.key;
  return line.kind === "new" && hands.canAdd ? hands.session.newKey() : null;
}

function edit(hands: Hands, row: RowRef, column: Column, input: Input): Edit {
  return { row, column: column.id, input, base: hands.view.baseOf(row, column.id) };
}

/** A block of cells, its first one at (x, y), as one command. Where it does not fit, a person decides first. */
export function paste(hands: Hands, at: Paste["at"], block: Pasted[][]): void {
  if (!hands.canEdit) return;
  withRows(hands, [{ ...at, width: widthOf(block), height: block.length }], () => {
    const left = overhang(hands, at, block);
    if (left.columns + left.rows > 0) hands.askTooLarge({ at, block, ...left });
    else pasteWhatFits(hands, { at, block });
  });
}

/** How many columns and rows of the block, with something in them, have no place. */
function overhang(hands: Hands, at: Paste["at"], block: Pasted[][]): Pick<TooLarge, "columns" | "rows"> {
  const isFilled = ({ text }: Pasted): boolean => text !== "";
  const width = Math.max(...block.map((row) => row.findLastIndex(isFilled) + 1));
  const height = block.findLastIndex((row) => row.some(isFilled)) + 1;
  const room = hands.canAdd ? Infinity : hands.view.reader.lines.count - at.y;
  return { columns: Math.max(0, at.x + width - hands.columns.length), rows: Math.max(0, height - room) };
}

export function pasteWhatFits(hands: Hands, { at, block }: Paste): void {
  const edits = block.flatMap((cells, down) => {
    const row = refAt(hands, at.y + down);
    if (row === null) return [];
    return cells.flatMap((cell, right) => {
      const column = hands.columns[at.x + right];
      if (!column) return [];
      const input = inputOf(cell, column, hands.session.sheet);
      const isEmpty = "value" in input && input.value === null;
      return isEmpty && typeof row === "string" ? [] : [edit(hands, row, column, input)];
    });
  });
  hands.session.write(edits);
}

const widthOf = (block: readonly (readonly unknown[])[]): number => Math.max(...block.map((row) => row.length));

/** The block repeated over the selection where it fits in whole times, else the block as it is. */
export function spread(block: Pasted[][], range: Rect): Pasted[][] {
  const [height, width] = [block.length, widthOf(block)];
  if (range.height % height || range.width % width) return block;
  return Array.from({ length: range.height }, (_, y) =>
    Array.from({ length: range.width }, (_, x) => block[y % height]?.[x % width] ?? { text: "" }),
  );
}

/** Repeat what stands in `source` over `target`, values exactly where the column is the same. */
export function fill(hands: Hands, source: Rect, target: Rect): void {
  if (hands.canEdit) withRows(hands, [source, target], () => fillRead(hands, source, target));
}

function fillRead(hands: Hands, source: Rect, target: Rect): void {
  const edits: Edit[] = [];
  for (const { x, y } of places(target)) {
    if (isInside(x, y, source)) continue;
    const [fromX, fromY] = [source.x + mod(x - source.x, source.width), source.y + mod(y - source.y, source.height)];
    const [column, from] = [hands.columns[x], hands.columns[fromX]];
    const [row, origin] = [existing(hands, y), existing(hands, fromY)];
    if (column && from && row !== null && origin !== null) {
      edits.push(edit(hands, row, column, contentOf(hands, origin, from, column)));
    }
  }
  hands.session.write(edits);
}

function contentOf(hands: Hands, row: RowRef, from: Column, to: Column): Input {
  const { value, state } = hands.view.cell(row, from.id);
  if (state && "text" in state.input) return state.input;
  const now = state && "value" in state.input ? state.input.value : value;
  return carried(now, plainText(now, from, hands.context), from, to);
}

/** Empty all cells of these rectangles that hold something. */
export function clear(hands: Hands, rects: readonly Rect[]): void {
  if (hands.canEdit) withRows(hands, rects, () => clearRead(hands, rects));
}

function clearRead(hands: Hands, rects: readonly Rect[]): void {
  const edits = rects.flatMap(places).flatMap(({ x, y }) => {
    const [row, column] = [existing(hands, y), hands.columns[x]];
    if (row === null || !column || column.read_only) return [];
    const { value, state } = hands.view.cell(row, column.id);
    return value === null && !state ? [] : [edit(hands, row, column, { value: null })];
  });
  hands.session.write(edits);
}

/** The cells for other programs and for this one; null where some of them have not been read yet. */
export function copied(hands: Hands, range: Rect): Pasted[][] | null {
  const rows: Pasted[][] = [];
  for (let y = range.y; y < range.y + range.height; y++) {
    const line = hands.view.reader.lines.at(y);
    if (line.kind === "loading") return null;
    const row = existing(hands, y);
    if (row !== null) rows.push(hands.columns.slice(range.x, range.x + range.width).map((one) => copiedCell(hands, row, one)));
  }
  return rows;
}

function copiedCell(hands: Hands, row: RowRef, column: Column): Pasted {
  const { value, state } = hands.view.cell(row, column.id);
  if (state && "text" in state.input) return { text: state.input.text };
  const now = state && "value" in state.input ? state.input.value : value;
  const { id, type, form, ids_of, rules: { currency, time_zone } } = column;
  const rules = { ...(currency && { currency }), ...(time_zone && { time_zone }) };
  return {
    text: plainText(now, column, hands.context),
    own: { sheet: hands.session.sheet, column: { id, type, form, ids_of, rules }, value: now },
    ...(isNumber(column) && typeof now === "string" && { number: now }),
  };
}

/** Delete these lines; rows that were never saved are forgotten. */
export function deleteRows(hands: Hands, lines: readonly number[]): void {
  const first = lines.at(0) ?? 0;
  const span = { x: 0, y: first, width: 1, height: (lines.at(-1) ?? first) - first + 1 };
  withRows(hands, [span], () => deleteRead(hands, lines));
}

function deleteRead(hands: Hands, lines: readonly number[]): void {
  const rows = lines.map((y) => existing(hands, y)).filter((row) => row !== null);
  for (const row of rows) {
    if (typeof row === "string") hands.session.discard([{ kind: "refused", row, column: null, input: { value: null }, reason: "", base: null }]);
  }
  hands.session.write([], rows.filter((row) => typeof row === "number"));
}

/** The row on this line, unless somebody has deleted it. */
function existing({ view }: Hands, y: number): RowRef | null {
  const line = view.reader.lines.at(y);
  if (line.kind === "draft") return line.key;
  return line.kind === "row" && !view.reader.rows.get(line.id)?.removed ? line.id : null;
}

function places({ x, y, width, height }: Rect): { x: number; y: number }[] {
  return Array.from({ length: width * height }, (_, i) => ({ x: x + (i % width), y: y + Math.floor(i / width) }));
}

function isInside(x: number, y: number, rect: Rect): boolean {
  return x >= rect.x && x < rect.x + rect.width && y >= rect.y && y < rect.y + rect.height;
}

const mod = (n: number, by: number): number => ((n % by) + by) % by;
