// The list of typed values that were not saved: each can be decided, copied or dropped, or all of a kind at once.

import { useEffect, useRef, useState, type ReactElement } from "react";
import { author, IssueText, Sides, when } from "./rejected-edit";
import { blockOf, CopyButton } from "./copy-button";
import type { Context } from "./format";
import type { Column } from "./types";
import type { Issue } from "./commands";
import type { SheetView } from "./view";

/** As many are listed; what is done for all is done for the others, too. */
const MOST = 100;

export interface ListProps {
  view: SheetView;
  /** All columns, and those that were deleted while the grid was open. */
  columns: Column[];
  context: Context;
  jump: ((issue: Issue) => void) | null;
}

export function RejectedList(props: ListProps): ReactElement {
  const issues = props.view.session.rejectedEdits;
  const conflicts = issues.filter((issue) => issue.conflict);
  const rest = issues.filter((issue) => !issue.conflict);
  return (
    // A click in the list leaves the keyboard where somebody types.
    <div className="cg-issues" data-testid="grid-attention" role="group" aria-label="Values that are not saved" onMouseDown={(event) => event.preventDefault()}>
      {conflicts.length > 0 && <Conflicts {...props} issues={conflicts} />}
      {rest.length > 0 && <Misfits {...props} issues={rest} />}
    </div>
  );
}

function Conflicts({ issues, ...props }: ListProps & { issues: Issue[] }): ReactElement {
  const { view: { session }, columns, context } = props;
  return (
    <section>
      <header>
        <strong>{issues.length === 1 ? "Somebody changed this cell meanwhile" : `${issues.length} cells were changed meanwhile`}</strong>
        {issues.length > 1 && (
          <span className="cg-buttons">
            <button className="cg-main" onClick={() => session.keepMine(issues)}>Keep all mine</button>
            <button onClick={() => session.discard(issues)}>Take all theirs</button>
            <CopyButton text={() => blockOf(issues, columns, context)} label="Copy values" />
          </span>
        )}
      </header>
      <ul>{issues.slice(0, MOST).map((issue) => <ConflictLine key={`${issue.row}:${issue.column}`} issue={issue} {...props} />)}</ul>
      <More count={issues.length - MOST} />
    </section>
  );
}

function ConflictLine({ issue, ...props }: ListProps & { issue: Issue }): ReactElement | null {
  const { view: { session }, columns, context } = props;
  if (!issue.conflict) return null;
  return (
    <li className="cg-conflict">
      <div className="cg-line">
        <p><CellName issue={issue} {...props} /> <span className="cg-faint">{issue.conflict.reason ?? `${author(issue.conflict)}, ${when(issue.conflict.at, context)}`}</span></p>
        <span className="cg-buttons">
          <button onClick={() => session.keepMine([issue])}>Keep mine</button>
          <button onClick={() => session.discard([issue])}>Take theirs</button>
        </span>
      </div>
      <Sides issue={issue} column={columnOf(issue, columns)} context={context} conflict={issue.conflict} />
    </li>
  );
}

function Misfits({ issues, ...props }: ListProps & { issues: Issue[] }): ReactElement {
  const { view: { session }, columns, context } = props;
  return (
    <section>
      {issues.length > 1 && (
        <header>
          <strong>{issues.length} values were not saved</strong>
          <span className="cg-buttons">
            <CopyButton text={() => blockOf(issues, columns, context)} label="Copy values" isMain />
            <button onClick={() => session.discard(issues)}>Drop all</button>
          </span>
        </header>
      )}
      <ul>
        {issues.slice(0, MOST).map((issue) => (
          <li key={`${issue.row}:${issue.column}`} className={`cg-${issue.kind}`}>
            <CellName issue={issue} {...props} />
            <IssueText issue={issue} column={columnOf(issue, columns)} context={context} keepMine={() => session.keepMine([issue])}
              sendAgain={() => session.sendAgain([issue])} drop={() => session.discard([issue])} />
          </li>
        ))}
      </ul>
      <More count={issues.length - MOST} />
    </section>
  );
}

function More({ count }: { count: number }): ReactElement | null {
  return count > 0 ? <p className="cg-faint">and {count.toLocaleString()} more</p> : null;
}

/** Which cell: a way to it while the grid is there. */
function CellName({ issue, view, columns, jump }: ListProps & { issue: Issue }): ReactElement {
  const name = `${columnOf(issue, columns)?.name ?? (issue.column === null ? "Row" : "A deleted column")} · ${rowName(issue, view, columns)}`;
  if (!jump) return <span>{name}</span>;
  return <button className="cg-link" onClick={() => jump(issue)}>{name}</button>;
}

function rowName(issue: Issue, { reader }: SheetView, columns: Column[]): string {
  if (typeof issue.row === "string") return "new row";
  const first = columns[0];
  const value = first && reader.rows.get(issue.row)?.values[first.id];
  return typeof value === "string" && first?.form === "string" && !first.ids_of ? `${value} (#${issue.row})` : `#${issue.row}`;
}

function columnOf(issue: Issue, columns: Column[]): Column | undefined {
  return columns.find((column) => column.id === issue.column);
}

/** The columns of now, and behind them those that were there before and are not any more. */
export function useEveryColumn(columns: Column[]): Column[] {
  const known = useRef(new Map<number, Column>());
  for (const column of columns) known.current.set(column.id, column);
  const gone = [...known.current.values()].filter((one) => !columns.some((column) => column.id === one.id));
  return gone.length > 0 ? [...columns, ...gone] : columns;
}

export type ListOpen = [isOpen: boolean, setOpen: (isOpen: boolean) => void];

/** Whether the list is open. A paste that leaves several behind opens it, unless somebody types; it takes no keyboard. */
export function useListOpen(count: number): ListOpen {
  const [isOpen, setOpen] = useState(false);
  const before = useRef(count);
  useEffect(() => {
    if (count >= before.current + 2 && !isTyping()) setOpen(true);
    if (count === 0) setOpen(false);
    before.current = count;
  }, [count]);
  return [isOpen && count > 0, setOpen];
}

function isTyping(): boolean {
  const { activeElement } = document;
  return activeElement instanceof HTMLInputElement || activeElement instanceof HTMLTextAreaElement;
}
