// The card beside a cell whose edit was rejected, with the reason and the possible actions.

import type { ReactElement } from "react";
import { createPortal } from "react-dom";
import { CopyButton, copyValue } from "./copy-button";
import { displayText, displayInput, type Context } from "./format";
import type { RejectedEdit } from "./commands";
import type { Column, ConflictFact } from "./types";

export interface RejectedEditProps {
  edit: RejectedEdit;
  column: Column | undefined;
  context: Context;
  keepMine: () => void;
  sendAgain: () => void;
  drop: () => void;
}

/** Never takes the focus: the user may be typing in another cell. */
export function RejectedEditCard(props: RejectedEditProps & { bounds: { x: number; y: number; width: number; height: number }; portal: Element }): ReactElement {
  const { bounds, portal, ...rest } = props;
  const left = Math.max(8, Math.min(bounds.x, window.innerWidth - 328));
  const isLow = bounds.y + bounds.height + 230 > window.innerHeight;
  const vertical = isLow
    ? { bottom: Math.max(8, window.innerHeight - bounds.y + 6) }
    : { top: Math.max(8, bounds.y + bounds.height + 6) };
  return createPortal(
    <div className={`cg-card cg-${props.edit.kind}`} style={{ left, ...vertical }} data-testid={`grid-${props.edit.kind}`}>
      <RejectedEditText {...rest} />
    </div>,
    portal,
  );
}

export function RejectedEditText(props: RejectedEditProps): ReactElement {
  if (props.edit.conflict) return <Conflict {...props} conflict={props.edit.conflict} />;
  return props.edit.kind === "gone" ? <Gone {...props} /> : <Refused {...props} />;
}

function Refused({ edit, column, context, drop }: RejectedEditProps): ReactElement {
  const typed = typedText(edit, column, context);
  return (
    <>
      <p><strong>Not saved.</strong> {edit.reason}</p>
      {typed && <p className="cg-typed">{typed}</p>}
      <div className="cg-buttons">
        {typed && <CopyButton text={() => copyValue(edit, column, context)} label="Copy value" />}
        <button onClick={drop}>{dropLabel(edit)}</button>
      </div>
    </>
  );
}

function dropLabel(edit: RejectedEdit): string {
  if (typeof edit.row === "string") return "Drop this row";
  return edit.column === null ? "Dismiss" : "Drop my value";
}

function Gone({ edit, column, context, sendAgain, drop }: RejectedEditProps): ReactElement {
  const typed = typedText(edit, column, context);
  return (
    <>
      <p><strong>No longer there.</strong> {edit.reason}</p>
      {typed && <p className="cg-typed">{typed}</p>}
      <div className="cg-buttons">
        {typed && <CopyButton text={() => copyValue(edit, column, context)} label="Copy value" isMain />}
        {typed && <button title="Where the row or the sheet is back" onClick={sendAgain}>Try again</button>}
        <button onClick={drop}>Drop it</button>
      </div>
    </>
  );
}

function Conflict({ edit, column, context, keepMine, drop, conflict }: RejectedEditProps & { conflict: ConflictFact }): ReactElement {
  return (
    <>
      {conflict.reason
        ? <p><strong>Not saved.</strong> {conflict.reason}</p>
        : <p><strong>{changedBy(conflict)} changed this cell meanwhile.</strong> {formatTime(conflict.at, context)}</p>}
      <Sides edit={edit} column={column} context={context} conflict={conflict} />
      <div className="cg-buttons">
        <button className="cg-main" onClick={keepMine}>Keep mine</button>
        <button onClick={drop}>Take theirs</button>
      </div>
    </>
  );
}

/** The user's value, the other user's value, and the value before both. */
export function Sides({ edit, column, context, conflict }: Pick<RejectedEditProps, "edit" | "column" | "context"> & { conflict: ConflictFact }): ReactElement {
  const text = (value: ConflictFact["theirs"]): string => (column ? displayText(value, column, context) : String(value ?? "")) || "(empty)";
  return (
    <dl>
      <dt>Mine</dt><dd data-testid="conflict-mine">{typedText(edit, column, context) || "(empty)"}</dd>
      <dt>Theirs</dt><dd data-testid="conflict-theirs">{text(conflict.theirs)}</dd>
      {!conflict.reason && <><dt>Before</dt><dd data-testid="conflict-original">{text(conflict.original)}</dd></>}
    </dl>
  );
}

export function changedBy({ by }: ConflictFact): string {
  return (typeof by === "string" ? by : by?.name) || "Somebody";
}

export function formatTime(at: string | null, { formats }: Context): string {
  if (!at || Number.isNaN(Date.parse(at))) return "";
  return new Intl.DateTimeFormat(formats.locale, { dateStyle: "medium", timeStyle: "short", timeZone: formats.time_zone }).format(new Date(at));
}

export function typedText(edit: RejectedEdit, column: Column | undefined, context: Context): string {
  if (column) return displayInput(edit.input, column, context);
  return "text" in edit.input ? edit.input.text : String(edit.input.value ?? "");
}
