// Reads the rows of other sheets for the editor of relations, and adds rows there.

import type { SheetSession } from "../../sheet/src/session";
import type { Candidates, RelatedSource } from "./editors/editor";
import type { RowRef } from "../../sheet/src/types";

export function relatedSource({ api, path, newKey }: SheetSession): RelatedSource {
  return {
    search: (column, search, signal) => api.request<Candidates>(`${path}/columns/${column.id}/candidates`, { query: { search }, signal }),
    add: async ({ sheet, new_title: column }, title) => {
      const body = { operation_id: newKey(), adds: [{ key: "new", cells: { [String(column)]: { text: title } } }] };
      const { added } = await api.request<{ added: { row: number }[] }>(`/sheets/${sheet}/rows`, { method: "PATCH", body });
      return { id: String(added[0]?.row), title };
    },
  };
}

/** The ids of those of these rows that are saved. */
export const idsOf = (rows: readonly RowRef[]): number[] => rows.filter((row) => typeof row === "number");

/** How many rows of which sheets are related to these rows: "3 rows of Deals". */
export async function relatedSheets({ api, path }: SheetSession, ids: readonly number[]): Promise<string[]> {
  if (ids.length === 0 || ids.length > MAX_COUNTED) return [];
  const { related } = await api.request<{ related: { sheet_name: string; count: number }[] }>(`${path}/related`, { query: { rows: ids.join(",") } });
  return related.map(({ sheet_name: name, count }) => `${count.toLocaleString()} ${count === 1 ? "row" : "rows"} of “${name}”`);
}

/** More rows than these would make too long an address. */
const MAX_COUNTED = 500;
