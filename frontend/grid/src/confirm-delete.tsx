// Asks before rows are deleted.

import { useEffect, useRef, useState, type ReactElement } from "react";

interface ConfirmProps {
  count: number;
  /** Reads how many rows of other sheets are related to the rows. */
  related: () => Promise<string[]>;
  confirm: () => void;
  cancel: () => void;
}

export function ConfirmDelete({ count, related, confirm, cancel }: ConfirmProps): ReactElement {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const [sheets, setSheets] = useState<string[]>([]);
  useEffect(() => void related().then(setSheets, () => undefined), []); // eslint-disable-line react-hooks/exhaustive-deps
  const rows = count === 1 ? "this row" : `these ${count.toLocaleString()} rows`;
  return (
    <dialog ref={dialog} className="cg-dialog" data-testid="grid-confirm" onCancel={cancel} onKeyDown={(event) => event.stopPropagation()}>
      <p><strong>Delete {rows}?</strong></p>
      {sheets.length > 0 && <p>{count === 1 ? "It is" : "They are"} related to {sheets.join(" and ")}. The relations come back when {count === 1 ? "it is" : "they are"} restored.</p>}
      <p>They leave the sheet for everybody. Their values stay in the history.</p>
      <div className="cg-buttons">
        <button className="cg-danger" onClick={confirm}>Delete</button>
        <button autoFocus onClick={cancel}>Cancel</button>
      </div>
    </dialog>
  );
}
