// What is selected, as rectangles and lines.

import { CompactSelection, type GridSelection } from "@glideapps/glide-data-grid";
import type { Rect } from "./actions";

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
