// Opening and closing the editor of a cell.

import { useCallback, useRef, useState } from "react";
import type { ActionScope } from "./actions";
import type { Editing, EditorProps, Move } from "./editors/editor";
import { editorText } from "../../sheet/src/format";
import type { Column, Input, RowRef } from "../../sheet/src/types";

export interface EditingState {
  editing: Editing | null;
  open: (cell: readonly [number, number], typed: string | null) => boolean;
  close: EditorProps["done"];
}

/** The current position of the edited cell, which may move while the editor is open. */
type Locate = (editing: Editing) => Editing["cell"];

export function useEditing(
  actions: ActionScope, locate: Locate, closed: (from: Editing, move: Move | null) => void,
): EditingState {
  const [opened, setEditing] = useState<Editing | null>(null);
  const editing = opened && { ...opened, cell: locate(opened) };
  const last = useRef(editing);
  last.current = editing;
  const open = useCallback<EditingState["open"]>(
    (cell, typed) => {
      const next = editingOf(actions, cell, typed);
      if (!next) return false;
      const isBox = next.column.form === "boolean";
      if (isBox && typed !== null && typed !== " ") return false;
      if (isBox) write(actions, next, { value: next.value !== true });
      else setEditing(next);
      return true;
    },
    [actions],
  );
  const close = useCallback<EditingState["close"]>(
    (input, move) => {
      const from = last.current;
      if (!from) return;
      setEditing(null);
      if (input) write(actions, from, input);
      closed(from, move);
    },
    [actions, closed],
  );
  return { editing, open, close };
}

/** Write the cell; a row that begins with it gets its other cells, too. */
export function write({ session, defaults, view }: ActionScope, { row, column, base }: Editing, input: Input): void {
  const isNew = typeof row === "string" && session.outbox.rowOf(row) === undefined && !view.reader.lines.isBelow(row);
  const others = isNew ? [...defaults].filter(([id]) => id !== column.id) : [];
  session.write([{ row, column: column.id, input, base }, ...others.map(([id, value]) => ({ row, column: id, input: value, base: null }))]);
}

/** The cell of a new editor with its current value, or null if it cannot be edited. */
function editingOf(actions: ActionScope, cell: readonly [number, number], typed: string | null): Editing | null {
  const { view, session, columns } = actions;
  const line = view.reader.lines.at(cell[1]);
  const column = columns[cell[0]];
  if (!column || line.kind === "loading" || line.kind === "group") return null;
  const isNew = line.kind === "new";
  if (isNew ? !actions.canAdd : !actions.canEdit) return null;
  if (column.is_computed && column.read_only) {
    actions.notice(`“${column.name}” is computed. Change the cells that it is computed from.`);
    return null;
  }
  if (column.read_only) actions.notice(`“${column.name}” is read-only for you. Ask the sheet's owner.`);
  if (column.editor === "none") return null;
  if (line.kind === "row" && view.reader.rows.get(line.id)?.removed) return null;
  const row = line.kind === "row" ? line.id : line.kind === "draft" ? line.key : session.newKey();
  return editingFor(actions, row, column, cell, typed);
}

/** A cell that is edited, with the content that its editor begins with. */
export function editingFor(
  { view, context }: ActionScope, row: RowRef, column: Column, cell: Editing["cell"] = NO_CELL, typed: string | null = null,
): Editing {
  const { value, state } = view.cell(row, column.id);
  const current = state && "value" in state.input ? state.input.value : value;
  const text = state && "text" in state.input ? state.input.text : editorText(current, column, context);
  return { row, column, base: view.baseOf(row, column.id), value: current, text, typed, cell, since: performance.now() };
}

/** Of an editor that opens outside of the grid. */
const NO_CELL = [-1, -1] as const;

/** The first typed character, "" for the start of a composed one, null for a key that types nothing. */
export function typedBy(event: KeyboardEvent | undefined): string | null {
  if (!event || event.metaKey) return null;
  if (event.key === "Dead" || event.key === "Process" || event.isComposing) return "";
  const isControl = (event.ctrlKey || event.altKey) && !event.getModifierState("AltGraph");
  // Shift and space select the row.
  const isTyped = [...event.key].length === 1 && !isControl && !(event.key === " " && event.shiftKey);
  return isTyped ? event.key : null;
}
