// The user's actions on cells, each as one command: paste, fill, clear, copy, delete rows.

import { convertValue, inputOf } from "./cell-conversion";
import { isMirror, isNumber, plainText, type Context } from "../../sheet/src/format";
import type { Edit } from "../../sheet/src/commands";
import type { SheetSession } from "../../sheet/src/session";
import type { SheetView } from "../../sheet/src/view";
import type { Pasted } from "./html-table";
import { runs } from "./selection";
import type { Column, Input, RowRef } from "../../sheet/src/types";

export interface Rect {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** The most cells read and written at once; if they exceed the server's limit for one command, as several commands. */
export const MAX_CELLS = 100_000;

export interface ActionScope {
  view: SheetView;
  session: SheetSession;
  columns: Column[];
  context: Context;
  /** The cells that a typed new row begins with. */
  defaults: ReadonlyMap<number, Input>;
  canEdit: boolean;
  canAdd: boolean;
  notice: (text: string) => void;
  /** A block does not fit: ask what to do with the rest, before anything is written. */
  askTooLarge: (paste: TooLarge) => void;
}

/** A block of cells and the cell that it is pasted at. */
export interface Paste {
  at: { x: number; y: number };
  block: Pasted[][];
}

/** A block that does not fit, with the number of columns and rows beyond the sheet. */
export interface TooLarge extends Paste {
  columns: number;
  rows: number;
}

/** Load the rows of these rectangles, then act: edits name rows by id, not by line. */
export function withRows(scope: ActionScope, rects: readonly Rect[], act: () => void): void {
  const { blocks, lines } = scope.view.reader;
  const cells = rects.reduce((sum, { width, height }) => sum + width * height, 0);
  if (cells > MAX_CELLS) {
    scope.notice(`${cells.toLocaleString()} cells are too many at once; ${MAX_CELLS.toLocaleString()} is the limit. Nothing was changed; import a file instead.`);
    return;
  }
  const spans = rects.flatMap(({ y, height }) => lines.spans(y, y + height - 1));
  const missing = spans.filter(([first, last]) => !blocks.hasAll(first, last));
  if (missing.length === 0) {
    act();
    return;
  }
  const { moves } = lines;
  const reading = Promise.all(missing.map(([first, last]) => blocks.load(first, last)));
  const actIfSame = (): void => (lines.moves === moves ? act() : scope.notice("Rows have moved meanwhile. Nothing was changed; try again."));
  reading.then(actIfSame, () => scope.notice("The rows could not be read. Nothing was changed; try again."));
}

/** The row on this line. The empty line and those below it become new rows, if the user may add rows. */
function refAt(scope: ActionScope, y: number): RowRef | null {
  const line = scope.view.reader.lines.at(y);
  if (line.kind === "row") return line.id;
  if (line.kind === "draft") return line.key;
  return line.kind === "new" && scope.canAdd ? scope.session.newKey() : null;
}

function editOf(scope: ActionScope, row: RowRef, column: Column, input: Input): Edit {
  return { row, column: column.id, input, base: scope.view.baseOf(row, column.id) };
}

/** Paste a block, its first cell at (x, y), as one command. If it does not fit, the user decides first. */
export function paste(scope: ActionScope, at: Paste["at"], block: Pasted[][]): void {
  if (!scope.canEdit) return;
  const target = rowLines(scope, at.y, block.length);
  withRows(scope, [{ ...at, width: widthOf(block), height: (target.at(-1) ?? at.y) - at.y + 1 }], () => {
    const excess = excessOf(scope, at, block);
    if (excess.columns + excess.rows > 0) scope.askTooLarge({ at, block, ...excess });
    else pasteWhatFits(scope, { at, block });
  });
}

/** The number of columns and rows of the block that are not empty and do not fit. */
function excessOf(scope: ActionScope, at: Paste["at"], block: Pasted[][]): Pick<TooLarge, "columns" | "rows"> {
  const isFilled = ({ text }: Pasted): boolean => text !== "";
  const width = Math.max(...block.map((row) => row.findLastIndex(isFilled) + 1));
  const height = block.findLastIndex((row) => row.some(isFilled)) + 1;
  const availableRows = scope.canAdd ? Infinity : scope.view.reader.lines.count - at.y;
  return { columns: Math.max(0, at.x + width - scope.columns.length), rows: Math.max(0, height - availableRows) };
}

/** The lines of this many rows from a line on: the headers of groups are passed over. */
function rowLines({ view: { reader } }: ActionScope, from: number, count: number): number[] {
  const lines: number[] = [];
  for (let y = from; lines.length < count; y++) if (reader.lines.at(y).kind !== "group") lines.push(y);
  return lines;
}

export function pasteWhatFits(scope: ActionScope, { at, block }: Paste): void {
  const target = rowLines(scope, at.y, block.length);
  const edits = block.flatMap((cells, down) => {
    const row = refAt(scope, target[down] ?? at.y);
    if (row === null) return [];
    return cells.flatMap((cell, right) => {
      const column = scope.columns[at.x + right];
      if (!column) return [];
      const input = inputOf(cell, column, scope.session.sheet);
      const isEmpty = "value" in input && input.value === null;
      return isEmpty && typeof row === "string" ? [] : [editOf(scope, row, column, input)];
    });
  });
  writeBlock(scope, edits);
}

/** Write these cells but those of mirrors: a whole cell would replace what others have linked in the other sheet since. */
function writeBlock({ columns, session, notice }: ActionScope, edits: readonly Edit[]): void {
  const mirrors = new Map(columns.filter(isMirror).map((column) => [column.id, column]));
  const left = edits.find(({ column }) => mirrors.has(column));
  if (left) notice(`“${mirrors.get(left.column)?.name}” belongs to another sheet: its cells are changed one at a time, by their editor.`);
  session.write(edits.filter(({ column }) => !mirrors.has(column)));
}

const widthOf = (block: readonly (readonly unknown[])[]): number => Math.max(...block.map((row) => row.length));

/** The block repeated over the selection if it fits a whole number of times, else the block. */
export function repeated(block: Pasted[][], range: Rect): Pasted[][] {
  const [height, width] = [block.length, widthOf(block)];
  if (range.height % height || range.width % width) return block;
  return Array.from({ length: range.height }, (_, y) =>
    Array.from({ length: range.width }, (_, x) => block[y % height]?.[x % width] ?? { text: "" }),
  );
}

/** Repeat the cells of `source` over `target`, with exact values within a column. */
export function fill(scope: ActionScope, source: Rect, target: Rect): void {
  if (scope.canEdit) withRows(scope, [source, target], () => fillLoaded(scope, source, target));
}

function fillLoaded(scope: ActionScope, source: Rect, target: Rect): void {
  const edits: Edit[] = [];
  for (const { x, y } of cellsOf(target)) {
    if (isInside(x, y, source)) continue;
    const [fromX, fromY] = [source.x + mod(x - source.x, source.width), source.y + mod(y - source.y, source.height)];
    const [column, sourceColumn] = [scope.columns[x], scope.columns[fromX]];
    const [row, sourceRow] = [existingRow(scope, y), existingRow(scope, fromY)];
    if (column && sourceColumn && row !== null && sourceRow !== null) {
      edits.push(editOf(scope, row, column, contentOf(scope, sourceRow, sourceColumn, column)));
    }
  }
  writeBlock(scope, edits);
}

function contentOf(scope: ActionScope, row: RowRef, from: Column, to: Column): Input {
  const { value, state } = scope.view.cell(row, from.id);
  if (state && "text" in state.input) return state.input;
  const current = state && "value" in state.input ? state.input.value : value;
  return convertValue(current, plainText(current, from, scope.context), from, to);
}

/** Clear all cells of these rectangles that are not empty. */
export function clear(scope: ActionScope, rects: readonly Rect[]): void {
  if (scope.canEdit) withRows(scope, rects, () => clearLoaded(scope, rects));
}

function clearLoaded(scope: ActionScope, rects: readonly Rect[]): void {
  const edits = rects.flatMap(cellsOf).flatMap(({ x, y }) => {
    const [row, column] = [existingRow(scope, y), scope.columns[x]];
    if (row === null || !column || column.read_only) return [];
    const { value, state } = scope.view.cell(row, column.id);
    return value === null && !state ? [] : [editOf(scope, row, column, { value: null })];
  });
  writeBlock(scope, edits);
}

/** The cells as a block for the clipboard; null if some of them are not loaded. */
export function copiedBlock(scope: ActionScope, range: Rect): Pasted[][] | null {
  const rows: Pasted[][] = [];
  for (let y = range.y; y < range.y + range.height; y++) {
    const line = scope.view.reader.lines.at(y);
    if (line.kind === "loading") return null;
    const row = existingRow(scope, y);
    if (row !== null) rows.push(scope.columns.slice(range.x, range.x + range.width).map((column) => copiedCell(scope, row, column)));
  }
  return rows;
}

function copiedCell(scope: ActionScope, row: RowRef, column: Column): Pasted {
  const { value, state } = scope.view.cell(row, column.id);
  if (state && "text" in state.input) return { text: state.input.text };
  const current = state && "value" in state.input ? state.input.value : value;
  const { id, type, form, ids_of, rules: { currency, time_zone } } = column;
  const rules = { ...(currency && { currency }), ...(time_zone && { time_zone }) };
  return {
    text: plainText(current, column, scope.context),
    own: { sheet: scope.session.sheet, column: { id, type, form, ids_of, rules }, value: current },
    ...(isNumber(column) && typeof current === "string" && { number: current }),
  };
}

/** Act on the rows of these lines, once they are loaded. */
export function withRefs(scope: ActionScope, lines: readonly number[], act: (rows: RowRef[]) => void): void {
  const rects = runs([...lines]).map(([y, height]) => ({ x: 0, y, width: 1, height }));
  withRows(scope, rects, () => act(lines.map((y) => existingRow(scope, y)).filter((row) => row !== null)));
}

/** Delete these rows; those that were never saved are discarded. */
export function deleteRows(scope: ActionScope, rows: readonly RowRef[]): void {
  for (const row of rows) {
    if (typeof row === "string") scope.session.discard([{ kind: "refused", row, column: null, input: { value: null }, reason: "", base: null }]);
  }
  scope.session.write([], rows.filter((row) => typeof row === "number"));
}

/** The row on this line; null if it is deleted. */
function existingRow({ view }: ActionScope, y: number): RowRef | null {
  const line = view.reader.lines.at(y);
  if (line.kind === "draft") return line.key;
  return line.kind === "row" && !view.reader.rows.get(line.id)?.removed ? line.id : null;
}

function cellsOf({ x, y, width, height }: Rect): { x: number; y: number }[] {
  return Array.from({ length: width * height }, (_, i) => ({ x: x + (i % width), y: y + Math.floor(i / width) }));
}

function isInside(x: number, y: number, rect: Rect): boolean {
  return x >= rect.x && x < rect.x + rect.width && y >= rect.y && y < rect.y + rect.height;
}

const mod = (n: number, by: number): number => ((n % by) + by) % by;
