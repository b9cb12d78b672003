// Deleting the ticked rows, after asking; and emptying cells with the Delete key.

import type { GridSelection } from "@glideapps/glide-data-grid";
import { useState } from "react";
import { clear, deleteRows, type ActionScope } from "./actions";
import { NOTHING, rects } from "./selection";
import { MAX_COMMAND_SIZE } from "../../sheet/src/commands";

/** So many rows are one action, which is one step to undo. */
const MAX_ROWS = MAX_COMMAND_SIZE;

export interface RowDeletion {
  selected: number;
  /** The lines of the ticked rows. */
  lines: readonly number[];
  isAsking: boolean;
  ask: (() => void) | null;
  confirm: () => void;
  cancel: () => void;
  onDelete: (selection: GridSelection) => boolean;
}

export function useRowDeletion(
  actions: ActionScope, selection: GridSelection, select: (selection: GridSelection) => void, canDelete: boolean,
): RowDeletion {
  const [isAsking, setAsking] = useState(false);
  // The empty line at the end can be ticked too, but is not a row.
  const { lines } = actions.view.reader;
  const ticked = selection.rows.remove([lines.count, Number.MAX_SAFE_INTEGER]);
  // So are the headers of groups.
  const rows = lines.headers.length === 0 ? ticked : ticked.toArray().reduce((all, y) => (lines.at(y).kind === "group" ? all.remove(y) : all), ticked);
  return {
    selected: rows.length,
    lines: rows.toArray(),
    isAsking,
    ask: canDelete ? () => setAsking(true) : null,
    confirm: () => {
      setAsking(false);
      if (rows.length > MAX_ROWS) actions.notice(`At most ${MAX_ROWS.toLocaleString()} rows can be deleted at once.`);
      else deleteRows(actions, rows.toArray());
      select(NOTHING);
    },
    cancel: () => setAsking(false),
    onDelete: (deleted) => {
      if (deleted.rows.length > 0) setAsking(canDelete && rows.length > 0);
      else clear(actions, rects(deleted, actions.columns.length));
      // Glide has nothing to do: the session writes the cells.
      return false;
    },
  };
}
