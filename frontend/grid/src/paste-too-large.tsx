// A block that is larger than the sheet: the user is asked before anything is written, and may add columns.

import { useEffect, useRef, useState, type ReactElement } from "react";
import { pasteWhatFits, type ActionScope, type Paste, type TooLarge } from "./actions";
import { columnFor } from "./cell-conversion";
import type { Column, NewTypes } from "../../sheet/src/types";
import type { SheetView } from "../../sheet/src/view";

interface PendingPaste extends Paste {
  /** The columns that were added for it. */
  ids: number[];
  /** The rows as the user saw them: a grid that was remounted meanwhile may not have read them yet. */
  view: SheetView;
}

/** By session, because Streamlit may remount the grid while it draws the page with the new columns. */
const pendingPastes = new Map<string, PendingPaste>();

export interface TooLargePaste {
  tooLarge: TooLarge | null;
  /** The user may add columns. */
  canAdd: boolean;
  addColumns: () => void;
  without: () => void;
  cancel: () => void;
}

interface Sheet {
  actions: ActionScope;
  all: readonly Column[];
  newTypes: NewTypes;
  canConfigure: boolean;
  tooLarge: TooLarge | null;
  ask: (paste: TooLarge | null) => void;
  refresh: () => void;
}

export function useTooLarge({ actions, all, newTypes, canConfigure, tooLarge, ask, refresh }: Sheet): TooLargePaste {
  const { session } = actions;
  const [added, setAdded] = useState(0);
  // The block is pasted when the page has sent the new columns.
  useEffect(() => {
    const paste = pendingPastes.get(session.key);
    if (!paste?.ids.every((id) => actions.columns.some((column) => column.id === id))) return;
    pendingPastes.delete(session.key);
    pasteWhatFits({ ...actions, view: paste.view }, paste);
  }, [added, actions]);
  const add = async (paste: TooLarge): Promise<void> => {
    const ids = await session.addColumns(newColumns(paste, actions.columns.length, all, newTypes));
    pendingPastes.set(session.key, { at: paste.at, block: paste.block, ids, view: actions.view });
    setAdded((count) => count + 1);
    refresh();
  };
  const then = (act: (paste: TooLarge) => void) => (): void => {
    ask(null);
    if (tooLarge) act(tooLarge);
  };
  return {
    tooLarge,
    canAdd: canConfigure && session.link === null,
    addColumns: then((paste) => void add(paste).catch((error: unknown) => actions.notice(`Not all columns could be added, and nothing was pasted. ${messageOf(error)}`))),
    without: then((paste) => pasteWhatFits(actions, paste)),
    cancel: then(() => undefined),
  };
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : "");

/** New columns for those that do not fit, each of the type of all its cells and with an unused name. */
function newColumns(
  { at, block, columns }: TooLarge, columnCount: number, all: readonly Column[], types: NewTypes,
): Pick<Column, "name" | "type" | "rules">[] {
  const names = new Set(all.map(({ name }) => name.toLowerCase()));
  let number = all.length;
  return Array.from({ length: columns }, (_, index) => {
    do number++; while (names.has(`column ${number}`));
    const cells = block.flatMap((row) => row[columnCount - at.x + index] ?? []);
    return { name: `Column ${number}`, ...columnFor(cells, types) };
  });
}

const lastOnes = (count: number, noun: string): string => (count === 1 ? `last ${noun}` : `last ${count.toLocaleString()} ${noun}s`);

export function AskTooLarge({ paste, andBack }: { paste: TooLargePaste; andBack: (act: () => void) => () => void }): ReactElement | null {
  const dialog = useRef<HTMLDialogElement>(null);
  const { tooLarge } = paste;
  useEffect(() => dialog.current?.showModal(), [tooLarge]);
  if (!tooLarge) return null;
  const { columns, rows } = tooLarge;
  const excess = [...(columns ? [lastOnes(columns, "column")] : []), ...(rows ? [lastOnes(rows, "row")] : [])].join(" and its ");
  const offer = columns > 0 && paste.canAdd;
  return (
    <dialog ref={dialog} className="cg-dialog" data-testid="grid-too-large" onCancel={andBack(paste.cancel)} onKeyDown={(event) => event.stopPropagation()}>
      <p><strong>What you paste is larger than the sheet.</strong></p>
      <p>
        The sheet has no room for its {excess}. Nothing has been written yet.
        {rows > 0 && " You may not add rows."}
        {columns > 0 && !offer && " Columns are added by people who may change the columns of this sheet."}
      </p>
      <div className="cg-buttons">
        {offer && <button className="cg-main" onClick={andBack(paste.addColumns)}>Add {columns === 1 ? "a column" : `${columns} columns`} and paste</button>}
        <button onClick={andBack(paste.without)}>Paste what fits</button>
        <button autoFocus onClick={andBack(paste.cancel)}>Cancel</button>
      </div>
    </dialog>
  );
}
