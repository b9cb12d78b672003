// Deleting the ticked rows, after asking; and emptying cells with the Delete key.

import type { CompactSelection, GridSelection } from "@glideapps/glide-data-grid";
import { useState } from "react";
import { clear, deleteRows, withRefs, type ActionScope } from "./actions";
import { NOTHING, rects } from "./selection";
import { MAX_COMMAND_SIZE } from "../../sheet/src/commands";
import type { RowRef } from "../../sheet/src/types";

/** So many rows are one action, which is one step to undo. */
const MAX_ROWS = MAX_COMMAND_SIZE;

export interface RowDeletion {
  /** The lines of the ticked rows. */
  lines: readonly number[];
  /** The rows that were ticked when the question was asked, until it is answered: they may come to other lines. */
  asked: readonly RowRef[] | null;
  ask: ((ticked: CompactSelection) => void) | null;
  confirm: () => void;
  cancel: () => void;
  onDelete: (selection: GridSelection) => boolean;
}

export function useRowDeletion(
  actions: ActionScope, selection: GridSelection, select: (selection: GridSelection) => void, canDelete: boolean,
): RowDeletion {
  const [asked, setAsked] = useState<readonly RowRef[] | null>(null);
  const linesOf = (ticked: CompactSelection): number[] => {
    const { lines } = actions.view.reader;
    // The empty line at the end can be ticked too, but is not a row; so are the headers of groups.
    const rows = ticked.remove([lines.count, Number.MAX_SAFE_INTEGER]).toArray();
    return lines.headers.length === 0 ? rows : rows.filter((y) => lines.at(y).kind !== "group");
  };
  const ask = (ticked: CompactSelection): void => {
    const lines = linesOf(ticked);
    if (lines.length > MAX_ROWS) actions.notice(`At most ${MAX_ROWS.toLocaleString()} rows can be deleted at once.`);
    else withRefs(actions, lines, (rows) => setAsked(rows.length > 0 ? rows : null));
  };
  return {
    lines: linesOf(selection.rows),
    asked,
    ask: canDelete ? ask : null,
    confirm: () => {
      setAsked(null);
      deleteRows(actions, asked ?? []);
      select(NOTHING);
    },
    cancel: () => setAsked(null),
    onDelete: (deleted) => {
      if (deleted.rows.length === 0) clear(actions, rects(deleted, actions.columns.length));
      else if (canDelete) ask(deleted.rows);
      // Glide has nothing to do: the session writes the cells.
      return false;
    },
  };
}
