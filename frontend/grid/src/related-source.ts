// Reads the rows of other sheets for the editor of relations, and adds rows there.

import type { SheetSession } from "../../sheet/src/session";
import type { Candidates, RelatedSource } from "./editors/editor";

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
