// What is said beside a cell whose typed value was not written, and what can be done about it.

import type { ReactElement } from "react";
import { createPortal } from "react-dom";
import { CopyButton, copiedText } from "./copy-button";
import { shown, shownInput, type Context } from "./format";
import type { Issue } from "./commands";
import type { Column, ConflictFact } from "./types";

export interface IssueProps {
  issue: Issue;
  column: Column | undefined;
  context: Context;
  keepMine: () => void;
  sendAgain: () => void;
  drop: () => void;
}

/** Never takes the keyboard: somebody may be typing in another cell. */
export function IssueCard(props: IssueProps & { bounds: { x: number; y: number; width: number; height: number }; portal: Element }): ReactElement {
  const { bounds, portal, ...rest } = props;
  const left = Math.max(8, Math.min(bounds.x, window.innerWidth - 328));
  const isLow = bounds.y + bounds.height + 230 > window.innerHeight;
  const vertical = isLow
    ? { bottom: Math.max(8, window.innerHeight - bounds.y + 6) }
    : { top: Math.max(8, bounds.y + bounds.height + 6) };
  return createPortal(
    <div className={`cg-card cg-${props.issue.kind}`} style={{ left, ...vertical }} data-testid={`grid-${props.issue.kind}`}>
      <IssueText {...rest} />
    </div>,
    portal,
  );
}

export function IssueText(props: IssueProps): ReactElement {
  if (props.issue.conflict) return <Conflict {...props} conflict={props.issue.conflict} />;
  return props.issue.kind === "gone" ? <Gone {...props} /> : <Refused {...props} />;
}

function Refused({ issue, column, context, drop }: IssueProps): ReactElement {
  const typed = typedText(issue, column, context);
  return (
    <>
      <p><strong>Not saved.</strong> {issue.reason}</p>
      {typed && <p className="cg-typed">{typed}</p>}
      <div className="cg-buttons">
        {typed && <CopyButton text={() => copiedText(issue, column, context)} label="Copy value" />}
        <button onClick={drop}>{dropLabel(issue)}</button>
      </div>
    </>
  );
}

function dropLabel(issue: Issue): string {
  if (typeof issue.row === "string") return "Drop this row";
  return issue.column === null ? "Dismiss" : "Drop my value";
}

function Gone({ issue, column, context, sendAgain, drop }: IssueProps): ReactElement {
  const typed = typedText(issue, column, context);
  return (
    <>
      <p><strong>No longer there.</strong> {issue.reason}</p>
      {typed && <p className="cg-typed">{typed}</p>}
      <div className="cg-buttons">
        {typed && <CopyButton text={() => copiedText(issue, column, context)} label="Copy value" isMain />}
        {typed && <button title="Where the row or the sheet is back" onClick={sendAgain}>Try again</button>}
        <button onClick={drop}>Drop it</button>
      </div>
    </>
  );
}

function Conflict({ issue, column, context, keepMine, drop, conflict }: IssueProps & { conflict: ConflictFact }): ReactElement {
  return (
    <>
      {conflict.reason
        ? <p><strong>Not saved.</strong> {conflict.reason}</p>
        : <p><strong>{author(conflict)} changed this cell meanwhile.</strong> {when(conflict.at, context)}</p>}
      <Sides issue={issue} column={column} context={context} conflict={conflict} />
      <div className="cg-buttons">
        <button className="cg-main" onClick={keepMine}>Keep mine</button>
        <button onClick={drop}>Take theirs</button>
      </div>
    </>
  );
}

/** Mine, theirs, and what stood there when I began. */
export function Sides({ issue, column, context, conflict }: Pick<IssueProps, "issue" | "column" | "context"> & { conflict: ConflictFact }): ReactElement {
  const text = (value: ConflictFact["theirs"]): string => (column ? shown(value, column, context) : String(value ?? "")) || "(empty)";
  return (
    <dl>
      <dt>Mine</dt><dd data-testid="conflict-mine">{typedText(issue, column, context) || "(empty)"}</dd>
      <dt>Theirs</dt><dd data-testid="conflict-theirs">{text(conflict.theirs)}</dd>
      {!conflict.reason && <><dt>Before</dt><dd data-testid="conflict-original">{text(conflict.original)}</dd></>}
    </dl>
  );
}

export function author({ by }: ConflictFact): string {
  return (typeof by === "string" ? by : by?.name) || "Somebody";
}

export function when(at: string | null, { formats }: Context): string {
  if (!at || Number.isNaN(Date.parse(at))) return "";
  return new Intl.DateTimeFormat(formats.locale, { dateStyle: "medium", timeStyle: "short", timeZone: formats.time_zone }).format(new Date(at));
}

export function typedText(issue: Issue, column: Column | undefined, context: Context): string {
  if (column) return shownInput(issue.input, column, context);
  return "text" in issue.input ? issue.input.text : String(issue.input.value ?? "");
}
