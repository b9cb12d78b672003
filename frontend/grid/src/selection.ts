// What is selected, as rectangles and lines, and how it stays with its rows where they come to other lines.

import { CompactSelection, type GridSelection } from "@glideapps/glide-data-grid";
import { useEffect, useRef, useState } from "react";
import type { Rect } from "./actions";
import type { Line, Lines } from "../../sheet/src/lines";
import type { SheetView } from "../../sheet/src/view";

export const NOTHING: GridSelection = { columns: CompactSelection.empty(), rows: CompactSelection.empty() };

export function oneCell(column: number, row: number): GridSelection {
  return { ...NOTHING, current: { cell: [column, row], range: { x: column, y: row, width: 1, height: 1 }, rangeStack: [] } };
}

/** The selected rectangles: the range of cells, or whole lines where lines are ticked. */
export function rects(selection: GridSelection, columns: number): Rect[] {
  if (selection.rows.length > 0) {
    return runs(selection.rows.toArray()).map(([y, height]) => ({ x: 0, y, width: columns, height }));
  }
  return selection.current ? [selection.current.range, ...selection.current.rangeStack] : [];
}

/** Neighbouring lines together: [first, count]. */
export function runs(lines: number[]): [number, number][] {
  const ranges: [number, number][] = [];
  for (const line of lines) {
    const last = ranges.at(-1);
    if (last && last[0] + last[1] === line) last[1] += 1;
    else ranges.push([line, 1]);
  }
  return ranges;
}

/** Larger selections are not followed: they end where rows move. */
const MAX_FOLLOWED = 2000;
/** So many lines around the selected cell are searched for its row. */
const SEARCHED_LINES = 10_000;

/** What was on the selected lines when rows had not moved yet. */
export interface Held {
  selection: GridSelection;
  moves: number;
  /** The row of the selected cell. */
  current: Line | null;
  /** By line; null where there are too many. */
  lines: ReadonlyMap<number, Line> | null;
}

export function held(lines: Lines, selection: GridSelection): Held {
  const ranges = rects(selection, 1);
  const isSmall = ranges.reduce((sum, { height }) => sum + height, 0) <= MAX_FOLLOWED;
  const selected = ranges.flatMap(({ y, height }) => (isSmall ? Array.from({ length: height }, (_, i) => y + i) : []));
  return {
    selection,
    moves: lines.moves,
    current: selection.current ? lines.at(selection.current.cell[1]) : null,
    lines: isSmall ? new Map(selected.map((y) => [y, lines.at(y)])) : null,
  };
}

/** The selection after rows moved: as it is where its lines have their rows still; else the selected cell alone, in its row. */
export function followed(lines: Lines, selection: GridSelection, before: Held): GridSelection {
  if (before.selection !== selection) return selection.rows.length > 0 ? NOTHING : selection; // It was selected while they moved.
  if (before.lines && [...before.lines].every(([y, line]) => isSame(line, lines.at(y)))) return selection;
  const { current } = selection;
  if (!current || !before.current || selection.rows.length > 0) return NOTHING;
  const [column, y] = current.cell;
  const line = lineOf(lines, before.current, y);
  return line === undefined ? NOTHING : oneCell(column, line);
}

function lineOf(lines: Lines, content: Line, y: number): number | undefined {
  if (content.kind === "new") return lines.count;
  if (content.kind !== "row" && content.kind !== "draft") return isSame(content, lines.at(y)) ? y : undefined;
  const near = { first: Math.max(0, y - SEARCHED_LINES), last: Math.min(lines.count - 1, y + SEARCHED_LINES) };
  return lines.find(content.kind === "row" ? content.id : content.key, near);
}

function isSame(a: Line, b: Line): boolean {
  if (a.kind === "row") return b.kind === "row" && a.id === b.id;
  if (a.kind === "draft") return b.kind === "draft" && a.key === b.key;
  if (a.kind === "group") return b.kind === "group" && a.group.key === b.group.key;
  return a.kind === "new" && b.kind === "new";
}

/** The selection of a grid. It is kept by line, so it is judged anew whenever rows move. */
export function useSelection(view: SheetView): [GridSelection, (selection: GridSelection) => void] {
  const [selected, select] = useState(NOTHING);
  const { lines } = view.reader;
  const before = useRef<Held>(held(lines, selected));
  const selection = before.current.moves === lines.moves ? selected : followed(lines, selected, before.current);
  before.current = held(lines, selection);
  useEffect(() => {
    if (selection !== selected) select(selection);
  });
  return [selection, select];
}
