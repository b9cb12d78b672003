// Asks before rows are deleted.

import { useEffect, useRef, type ReactElement } from "react";

interface ConfirmProps {
  count: number;
  confirm: () => void;
  cancel: () => void;
}

export function ConfirmDelete({ count, confirm, cancel }: ConfirmProps): ReactElement {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const rows = count === 1 ? "this row" : `these ${count.toLocaleString()} rows`;
  return (
    <dialog ref={dialog} className="cg-dialog" data-testid="grid-confirm" onCancel={cancel} onKeyDown={(event) => event.stopPropagation()}>
      <p><strong>Delete {rows}?</strong></p>
      <p>They leave the sheet for everybody. Their values stay in the history.</p>
      <div className="cg-buttons">
        <button className="cg-danger" onClick={confirm}>Delete</button>
        <button autoFocus onClick={cancel}>Cancel</button>
      </div>
    </dialog>
  );
}
