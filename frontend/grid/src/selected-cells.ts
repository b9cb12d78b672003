// Totals of the selected cells, computed here: exactly, and only where all of their rows are loaded.

import { average, compare, sum } from "../../sheet/src/decimal";
import { isNumber } from "../../sheet/src/format";
import type { Scene } from "./scene";
import { rects } from "./selection";
import type { CellValue, Column, RowRef, TotalFunction } from "../../sheet/src/types";

/** More cells are not added up at each move of the selection. */
const MAX_CELLS = 20_000;

export interface SelectedCells {
  rows: RowRef[];
  value: (row: RowRef, column: number) => CellValue;
}

/** The selected rows where more than one cell is selected and all of them are loaded, else null. */
export function useSelectedCells({ selection, columns, view }: Scene): SelectedCells | null {
  const ranges = rects(selection, columns.length);
  const cells = ranges.reduce((count, { width, height }) => count + width * height, 0);
  if (cells < 2 || cells > MAX_CELLS) return null;
  const rows: RowRef[] = [];
  const { lines, rows: stored } = view.reader;
  for (const { y, height } of ranges) {
    for (let line = y; line < y + height; line++) {
      const content = lines.at(line);
      if (content.kind === "loading") return null;
      if (content.kind === "draft") rows.push(content.key);
      else if (content.kind === "row" && !stored.get(content.id)?.removed) rows.push(content.id);
    }
  }
  const value = (row: RowRef, column: number): CellValue => {
    const { value: saved, state } = view.cell(row, column);
    return state && "value" in state.input ? state.input.value : state ? null : saved;
  };
  return rows.length > 1 || cells > 1 ? { rows, value } : null;
}

/** A function of the selected cells of a column; undefined where it has no value. */
export function selectedTotal({ rows, value }: SelectedCells, column: Column, name: TotalFunction): CellValue | number | undefined {
  const filled = rows.map((row) => value(row, column.id)).filter((cell) => cell !== null);
  if (name === "filled") return filled.length;
  if (name === "empty") return rows.length - filled.length;
  if (name === "unique") return new Set(filled.map((cell) => JSON.stringify(cell))).size;
  const texts = filled.filter((cell) => typeof cell === "string");
  if (texts.length === 0) return undefined;
  if (name === "sum") return sum(texts);
  if (name === "average") return average(texts);
  const order = isNumber(column) ? compare : (a: string, b: string) => (a < b ? -1 : 1);
  const sorted = texts.sort(order);
  return name === "min" ? sorted[0] : sorted.at(-1);
}
