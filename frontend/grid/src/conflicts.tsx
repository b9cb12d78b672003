// What is said beside a cell whose typed value was not written, and what can be done about it.

import type { ReactElement } from "react";
import { createPortal } from "react-dom";
import { shown, shownInput, type Context } from "./format";
import type { Issue } from "./waiting";
import type { Column, ConflictFact } from "./types";

interface IssueProps {
  issue: Issue;
  column: Column | undefined;
  context: Context;
  keepMine: () => void;
  drop: () => void;
}

/** Never takes the keyboard: somebody may be typing in another cell. */
export function IssueCard(props: IssueProps & { bounds: { x: number; y: number; width: number; height: number }; portal: Element }): ReactElement {
  const { bounds, portal, ...rest } = props;
  const left = Math.max(8, Math.min(bounds.x, window.innerWidth - 328));
  const isLow = bounds.y + bounds.height + 220 > window.innerHeight;
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
      <div className="cg-buttons"><button onClick={drop}>{dropLabel(issue)}</button></div>
    </>
  );
}

function dropLabel(issue: Issue): string {
  if (typeof issue.row === "string") return "Drop this row";
  return issue.column === null ? "Dismiss" : "Drop my value";
}

function Gone({ issue, column, context, drop }: IssueProps): ReactElement {
  const typed = typedText(issue, column, context);
  return (
    <>
      <p><strong>No longer there.</strong> {issue.reason}</p>
      {typed && <input className="cg-typed" readOnly value={typed} aria-label="What you typed" onFocus={(event) => event.target.select()} />}
      <div className="cg-buttons">
        {typed && <button className="cg-main" onClick={() => void copyText(typed)}>Copy what I typed</button>}
        <button onClick={drop}>Drop it</button>
      </div>
    </>
  );
}

function Conflict({ issue, column, context, keepMine, drop, conflict }: IssueProps & { conflict: ConflictFact }): ReactElement {
  const text = (value: ConflictFact["theirs"]): string => (column ? shown(value, column, context) : String(value ?? "")) || "(empty)";
  return (
    <>
      <p><strong>{author(conflict)} changed this cell meanwhile.</strong> {when(conflict.at, context)}</p>
      <dl>
        <dt>Mine</dt><dd data-testid="conflict-mine">{typedText(issue, column, context) || "(empty)"}</dd>
        <dt>Theirs</dt><dd data-testid="conflict-theirs">{text(conflict.theirs)}</dd>
        <dt>Before</dt><dd data-testid="conflict-original">{text(conflict.original)}</dd>
      </dl>
      <div className="cg-buttons">
        <button className="cg-main" onClick={keepMine}>Keep mine</button>
        <button onClick={drop}>Take theirs</button>
      </div>
    </>
  );
}

function author({ by }: ConflictFact): string {
  return (typeof by === "string" ? by : by?.name) || "Somebody";
}

function when(at: string | null, { formats }: Context): string {
  if (!at || Number.isNaN(Date.parse(at))) return "";
  return new Intl.DateTimeFormat(formats.locale, { dateStyle: "medium", timeStyle: "short", timeZone: formats.time_zone }).format(new Date(at));
}

export function typedText(issue: Issue, column: Column | undefined, context: Context): string {
  if (column) return shownInput(issue.input, column, context);
  return "text" in issue.input ? issue.input.text : String(issue.input.value ?? "");
}

/** Copies without the clipboard's permission where the page is not on https. */
async function copyText(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const field = document.querySelector<HTMLInputElement>("input.cg-typed");
    field?.select();
    document.execCommand("copy");
  }
}
