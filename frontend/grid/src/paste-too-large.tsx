// A block that is larger than the sheet: what has no place is said before anything is written, and new columns are offered.

import { useEffect, useRef, useState, type ReactElement } from "react";
import { pasteWhatFits, withRows, type Hands, type Paste, type TooLarge } from "./actions";
import { columnFor } from "./cell-conversion";
import type { Column, NewTypes } from "../../sheet/src/types";

interface Waiting extends Paste {
  /** The columns that were added for it. */
  ids: number[];
}

/** By session, and not in its grid: Streamlit may take that away while it draws the page with the new columns. */
const waiting = new Map<string, Waiting>();

export interface TooLargePaste {
  asked: TooLarge | null;
  /** The person may add columns. */
  canAdd: boolean;
  addColumns: () => void;
  without: () => void;
  cancel: () => void;
}

interface Sheet {
  hands: Hands;
  all: readonly Column[];
  newTypes: NewTypes;
  canConfigure: boolean;
  asked: TooLarge | null;
  ask: (paste: TooLarge | null) => void;
  refresh: () => void;
}

export function useTooLarge({ hands, all, newTypes, canConfigure, asked, ask, refresh }: Sheet): TooLargePaste {
  const { session } = hands;
  const [added, setAdded] = useState(0);
  // The page tells of the new columns when it has looked again; only then is there a place for the block.
  useEffect(() => {
    const found = waiting.get(session.key);
    if (!found?.ids.every((id) => hands.columns.some((column) => column.id === id))) return;
    waiting.delete(session.key);
    withRows(hands, [{ ...found.at, width: 1, height: found.block.length }], () => pasteWhatFits(hands, found));
  }, [added, hands]);
  const add = async (paste: TooLarge): Promise<void> => {
    const made = await session.addColumns(newColumns(paste, hands.columns.length, all, newTypes));
    waiting.set(session.key, { at: paste.at, block: paste.block, ids: made });
    setAdded((count) => count + 1);
    refresh();
  };
  const then = (act: (paste: TooLarge) => void) => (): void => {
    ask(null);
    if (asked) act(asked);
  };
  return {
    asked,
    canAdd: canConfigure && session.link === null,
    addColumns: then((paste) => void add(paste).catch((error: unknown) => hands.notice(`Not all columns could be added, and nothing was pasted. ${said(error)}`))),
    without: then((paste) => pasteWhatFits(hands, paste)),
    cancel: then(() => undefined),
  };
}

const said = (error: unknown): string => (error instanceof Error ? error.message : "");

/** A column for each that has no place, of the type that all its cells have, under a name that is free. */
function newColumns(
  { at, block, columns }: TooLarge, shown: number, all: readonly Column[], types: NewTypes,
): Pick<Column, "name" | "type" | "rules">[] {
  const taken = new Set(all.map(({ name }) => name.toLowerCase()));
  let number = all.length;
  return Array.from({ length: columns }, (_, index) => {
    do number++; while (taken.has(`column ${number}`));
    const cells = block.flatMap((row) => row[shown - at.x + index] ?? []);
    return { name: `Column ${number}`, ...columnFor(cells, types) };
  });
}

const counted = (count: number, one: string): string => (count === 1 ? `last ${one}` : `last ${count.toLocaleString()} ${one}s`);

export function AskTooLarge({ paste, andBack }: { paste: TooLargePaste; andBack: (act: () => void) => () => void }): ReactElement | null {
  const dialog = useRef<HTMLDialogElement>(null);
  const { asked } = paste;
  useEffect(() => dialog.current?.showModal(), [asked]);
  if (!asked) return null;
  const { columns, rows } = asked;
  const left = [...(columns ? [counted(columns, "column")] : []), ...(rows ? [counted(rows, "row")] : [])].join(" and its ");
  const offer = columns > 0 && paste.canAdd;
  return (
    <dialog ref={dialog} className="cg-dialog" data-testid="grid-too-large" onCancel={andBack(paste.cancel)} onKeyDown={(event) => event.stopPropagation()}>
      <p><strong>What you paste is larger than the sheet.</strong></p>
      <p>
        There is no place for its {left}. Nothing has been written yet.
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
