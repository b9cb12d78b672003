// Actions on the ticked rows, each as one command: one step to undo.

import { withRefs, type ActionScope } from "./actions";
import { MAX_COMMAND_SIZE, type Edit } from "../../sheet/src/commands";
import { isMirror, relatedRows } from "../../sheet/src/format";
import type { CellValue, Column, Input } from "../../sheet/src/types";

/** The most rows of one file; more are exported as a view. */
export const MAX_EXPORTED = 2000;

/** The ids of the saved rows on these lines, once they are loaded. */
function withIds(scope: ActionScope, lines: readonly number[], act: (ids: number[]) => void): void {
  withRefs(scope, lines, (rows) => act(rows.filter((row) => typeof row === "number")));
}

/** The reason why so many cells are not changed as one action; null where they can be. */
export function tooMany(cells: number): string | null {
  if (cells <= MAX_COMMAND_SIZE) return null;
  return `${cells.toLocaleString()} cells are more than the ${MAX_COMMAND_SIZE.toLocaleString()} that one action can change. Select fewer rows.`;
}

/** Write one content into a column of these rows. */
export function setValue(scope: ActionScope, lines: readonly number[], column: Column, input: Input): string | null {
  const reason = tooMany(lines.length);
  if (reason) return reason;
  withIds(scope, lines, (ids) => {
    scope.session.write(ids.map((row): Edit => ({ row, column: column.id, input, base: scope.view.baseOf(row, column.id) })));
  });
  return null;
}

/** Add a copy of each of these rows, with the cells that the user may write. */
export function duplicate(scope: ActionScope, lines: readonly number[], columns: readonly Column[]): string | null {
  const copied = columns.filter((column) => !column.read_only && column.editor !== "none" && !column.rules.unique);
  const reason = tooMany(lines.length * (copied.length + 1));
  if (reason) return reason;
  withIds(scope, lines, (ids) => {
    const edits = ids.flatMap((id) => {
      const row = scope.session.newKey();
      return copied.flatMap((column): Edit[] => {
        const value = currentValue(scope, id, column);
        // An empty cell is written too, or the server would fill it with the column's default.
        return value === null && (isMirror(column) || column.rules.required) ? [] : [{ row, column: column.id, input: { value }, base: null }];
      });
    });
    scope.session.write(edits);
    scope.notice(`${ids.length === 1 ? "The copy is" : `The ${ids.length.toLocaleString()} copies are`} at the end of the grid.`);
  });
  return null;
}

function currentValue({ view }: ActionScope, row: number, column: Column): CellValue {
  const { value, state } = view.cell(row, column.id);
  const current = state && "value" in state.input ? state.input.value : value;
  return column.ids_of === "rows" && current !== null ? relatedRows(current).map(({ id }) => id) : current;
}

/** Save a file of these rows. */
export function exportRows(scope: ActionScope, lines: readonly number[], columns: readonly Column[]): string | null {
  if (lines.length > MAX_EXPORTED) return `At most ${MAX_EXPORTED.toLocaleString()} rows can be exported from a selection. Filter the view and export that.`;
  withIds(scope, lines, (ids) => {
    const { api, path } = scope.session;
    const query = { rows: ids.join(","), columns: columns.map(({ id }) => id).join(","), bom: "true" };
    api.download(`${path}/export`, query).catch((error: unknown) => scope.notice(error instanceof Error ? error.message : "The file could not be made."));
  });
  return null;
}
