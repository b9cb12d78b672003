// The list of rejected edits: each can be decided, copied or discarded, or all of a kind at once.

import { useEffect, useRef, useState, type ReactElement } from "react";
import { changedBy, RejectedEditText, Sides, formatTime } from "./rejected-edit";
import { blockOf, CopyButton } from "./copy-button";
import type { Context } from "./format";
import type { Column } from "./types";
import type { RejectedEdit } from "./commands";
import type { SheetView } from "./view";

/** The number of edits listed; actions for all apply to the others too. */
const MAX_LISTED = 100;

export interface ListProps {
  view: SheetView;
  /** All columns, and those that were deleted while the grid was open. */
  columns: Column[];
  context: Context;
  jump: ((edit: RejectedEdit) => void) | null;
}

export function RejectedList(props: ListProps): ReactElement {
  const rejected = props.view.session.rejectedEdits;
  const conflicts = rejected.filter((edit) => edit.conflict);
  const others = rejected.filter((edit) => !edit.conflict);
  return (
    // A click in the list does not take the focus from a field.
    <div className="cg-issues" data-testid="grid-attention" role="group" aria-label="Values that are not saved" onMouseDown={(event) => event.preventDefault()}>
      {conflicts.length > 0 && <Conflicts {...props} conflicts={conflicts} />}
      {others.length > 0 && <OtherRejectedEdits {...props} rejected={others} />}
    </div>
  );
}

function Conflicts({ conflicts, ...props }: ListProps & { conflicts: RejectedEdit[] }): ReactElement {
  const { view: { session }, columns, context } = props;
  return (
    <section>
      <header>
        <strong>{conflicts.length === 1 ? "Somebody changed this cell meanwhile" : `${conflicts.length} cells were changed meanwhile`}</strong>
        {conflicts.length > 1 && (
          <span className="cg-buttons">
            <button className="cg-main" onClick={() => session.keepMine(conflicts)}>Keep all mine</button>
            <button onClick={() => session.discard(conflicts)}>Take all theirs</button>
            <CopyButton text={() => blockOf(conflicts, columns, context)} label="Copy values" />
          </span>
        )}
      </header>
      <ul>{conflicts.slice(0, MAX_LISTED).map((edit) => <ConflictLine key={`${edit.row}:${edit.column}`} edit={edit} {...props} />)}</ul>
      <More count={conflicts.length - MAX_LISTED} />
    </section>
  );
}

function ConflictLine({ edit, ...props }: ListProps & { edit: RejectedEdit }): ReactElement | null {
  const { view: { session }, columns, context } = props;
  if (!edit.conflict) return null;
  return (
    <li className="cg-conflict">
      <div className="cg-line">
        <p><CellName edit={edit} {...props} /> <span className="cg-faint">{edit.conflict.reason ?? `${changedBy(edit.conflict)}, ${formatTime(edit.conflict.at, context)}`}</span></p>
        <span className="cg-buttons">
          <button onClick={() => session.keepMine([edit])}>Keep mine</button>
          <button onClick={() => session.discard([edit])}>Take theirs</button>
        </span>
      </div>
      <Sides edit={edit} column={columnOf(edit, columns)} context={context} conflict={edit.conflict} />
    </li>
  );
}

function OtherRejectedEdits({ rejected, ...props }: ListProps & { rejected: RejectedEdit[] }): ReactElement {
  const { view: { session }, columns, context } = props;
  return (
    <section>
      {rejected.length > 1 && (
        <header>
          <strong>{rejected.length} values were not saved</strong>
          <span className="cg-buttons">
            <CopyButton text={() => blockOf(rejected, columns, context)} label="Copy values" isMain />
            <button onClick={() => session.discard(rejected)}>Drop all</button>
          </span>
        </header>
      )}
      <ul>
        {rejected.slice(0, MAX_LISTED).map((edit) => (
          <li key={`${edit.row}:${edit.column}`} className={`cg-${edit.kind}`}>
            <CellName edit={edit} {...props} />
            <RejectedEditText edit={edit} column={columnOf(edit, columns)} context={context} keepMine={() => session.keepMine([edit])}
              sendAgain={() => session.sendAgain([edit])} drop={() => session.discard([edit])} />
          </li>
        ))}
      </ul>
      <More count={rejected.length - MAX_LISTED} />
    </section>
  );
}

function More({ count }: { count: number }): ReactElement | null {
  return count > 0 ? <p className="cg-faint">and {count.toLocaleString()} more</p> : null;
}

/** The name of the cell, a link to it while the grid is open. */
function CellName({ edit, view, columns, jump }: ListProps & { edit: RejectedEdit }): ReactElement {
  const name = `${columnOf(edit, columns)?.name ?? (edit.column === null ? "Row" : "A deleted column")} · ${rowName(edit, view, columns)}`;
  if (!jump) return <span>{name}</span>;
  return <button className="cg-link" onClick={() => jump(edit)}>{name}</button>;
}

function rowName(edit: RejectedEdit, { reader }: SheetView, columns: Column[]): string {
  if (typeof edit.row === "string") return "new row";
  const first = columns[0];
  const value = first && reader.rows.get(edit.row)?.values[first.id];
  return typeof value === "string" && first?.form === "string" && !first.ids_of ? `${value} (#${edit.row})` : `#${edit.row}`;
}

function columnOf(edit: RejectedEdit, columns: Column[]): Column | undefined {
  return columns.find((column) => column.id === edit.column);
}

/** The current columns, followed by those that were deleted while the grid was open. */
export function useEveryColumn(columns: Column[]): Column[] {
  const allColumns = useRef(new Map<number, Column>());
  for (const column of columns) allColumns.current.set(column.id, column);
  const deleted = [...allColumns.current.values()].filter((candidate) => !columns.some((column) => column.id === candidate.id));
  return deleted.length > 0 ? [...columns, ...deleted] : columns;
}

export type ListOpen = [isOpen: boolean, setOpen: (isOpen: boolean) => void];

/** Whether the list is open. Several new rejected edits open it, unless the user is typing; it never takes the focus. */
export function useListOpen(count: number): ListOpen {
  const [isOpen, setOpen] = useState(false);
  const lastCount = useRef(count);
  useEffect(() => {
    if (count >= lastCount.current + 2 && !isTyping()) setOpen(true);
    if (count === 0) setOpen(false);
    lastCount.current = count;
  }, [count]);
  return [isOpen && count > 0, setOpen];
}

function isTyping(): boolean {
  const { activeElement } = document;
  return activeElement instanceof HTMLInputElement || activeElement instanceof HTMLTextAreaElement;
}
