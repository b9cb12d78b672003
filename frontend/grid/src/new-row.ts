// New rows: one click away, with the cells that the filter implies and the user's own name as the owner.

import { useCallback } from "react";
import type { EditingState } from "./editing";
import type { Scene } from "./scene";
import { oneCell } from "./selection";
import { impliedConditions, type Condition } from "../../sheet/src/filter";
import type { CellValue, Column, GridData, Input } from "../../sheet/src/types";

/** Go to the empty line at the end and open its first cell that can be edited. */
export function useAddRow({ view, columns, select, grid, data }: Scene, open: EditingState["open"]): (() => void) | null {
  const { lines } = view.reader;
  const add = useCallback(() => {
    const column = Math.max(columns.findIndex(isEditable), 0);
    const line = lines.count;
    select(oneCell(column, line));
    grid.current?.scrollTo(column, line);
    // In the next frame the grid has scrolled to the line.
    requestAnimationFrame(() => requestAnimationFrame(() => open([column, line], null)));
  }, [lines, columns, select, grid, open]);
  return data.can_add ? add : null;
}

const isEditable = (column: Column): boolean => !column.read_only && column.editor !== "none";

/** The cells that a new row of this view begins with: by column id. */
export function defaultCells(data: Pick<GridData, "view" | "columns" | "me" | "owner_column">): Map<number, Input> {
  const editable = new Map(data.columns.filter(isEditable).map((column) => [column.id, column]));
  const cells = new Map<number, Input>();
  const { owner_column: owner } = data;
  const ownerColumn = owner === null ? undefined : editable.get(owner);
  if (ownerColumn) cells.set(ownerColumn.id, ownerColumn.ids_of === "people" ? { value: data.me.id } : { text: data.me.name });
  for (const condition of impliedConditions(data.view.filter ?? [])) {
    const column = editable.get(condition.column);
    const input = column && impliedInput(condition, column, data.me.id);
    if (input) cells.set(condition.column, input);
  }
  return cells;
}

/** The one content that fulfils a condition; null where there are several. */
function impliedInput({ op, value }: Condition, column: Column, me: string): Input | null {
  if (op === "is_true") return { value: true };
  if ((op === "is" || op === "eq" || op === "on") && typeof value === "string") return op === "on" && !/^\d{4}-\d\d-\d\d$/.test(value) ? null : { text: value };
  const ids = Array.isArray(value) ? value.map((id) => (id === "me" && column.ids_of === "people" ? me : String(id))) : [];
  if (op === "has_all_of" || (op === "has_any_of" && ids.length === 1)) return { value: ids };
  return op === "is_any_of" && ids.length === 1 ? { value: ids[0] as CellValue } : null;
}
