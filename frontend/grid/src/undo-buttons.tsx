// Undo and redo in the status line, their keys, and the list of skipped changes.

import { useEffect, useRef, type ReactElement, type RefObject } from "react";
import { formatTime } from "../../sheet/src/rejected-edit";
import type { Context } from "../../sheet/src/format";
import type { Scene } from "./scene";
import type { SheetSession } from "../../sheet/src/session";
import type { Column } from "../../sheet/src/types";
import type { SkippedChange, Direction } from "../../sheet/src/undo";

interface UndoProps {
  scene: Scene;
  jump: (cell: { row: number; column: number | null }) => void;
}

export function UndoButtons({ scene, jump }: UndoProps): ReactElement {
  const { session, data, context } = scene;
  return (
    <span className="cg-undo" role="group" aria-label="Undo and redo">
      <Arrow which="undo" session={session} keys="Ctrl+Z" />
      <Arrow which="redo" session={session} keys="Ctrl+Y" />
      {session.undo.skippedCount > 0 && <SkippedChanges session={session} columns={data.columns} context={context} jump={jump} />}
    </span>
  );
}

const SHAPES = { undo: "M7 3 3 7l4 4M3 7h6.5a3.5 3.5 0 0 1 0 7H6", redo: "M9 3l4 4-4 4M13 7H6.5a3.5 3.5 0 0 0 0 7H10" };

function Arrow({ which: direction, session, keys }: { which: Direction; session: SheetSession; keys: string }): ReactElement {
  const step = session.undo.next[direction];
  const isPending = session.undo.pending.includes(direction);
  const name = direction === "undo" ? "Undo" : "Redo";
  const title = step ? `${name}: ${step.said} (${keys})` : `Nothing to ${direction}`;
  return (
    <button className={`cg-arrow${isPending ? " cg-busy" : ""}`} aria-label={title} title={title} disabled={!step} aria-busy={isPending}
      data-testid={`grid-${direction}`} onMouseDown={(event) => event.preventDefault()} onClick={() => session.undo.press(direction)}>
      <svg viewBox="0 0 16 16" width="15" height="15" fill="none" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" strokeLinejoin="round">
        <path d={SHAPES[direction]} />
      </svg>
    </button>
  );
}

interface SkippedProps {
  session: SheetSession;
  columns: Column[];
  context: Context;
  jump: UndoProps["jump"];
}

function SkippedChanges({ session, columns, context, jump }: SkippedProps): ReactElement {
  const { skipped, skippedCount, dismissSkipped } = session.undo;
  return (
    <div className="cg-panel cg-left-alone" role="status" data-testid="grid-left-alone" onMouseDown={(event) => event.preventDefault()}>
      <div className="cg-issues">
        <header>
          <strong>{skippedCount === 1 ? "1 change was skipped" : `${skippedCount.toLocaleString()} changes were skipped`}</strong>
          <span className="cg-buttons"><button onClick={dismissSkipped}>Close</button></span>
        </header>
        <ul>{skipped.map((change) => <SkippedLine key={`${change.row}:${change.column}`} change={change} columns={columns} context={context} jump={jump} />)}</ul>
        {skippedCount > skipped.length && <p className="cg-faint">and {(skippedCount - skipped.length).toLocaleString()} more</p>}
      </div>
    </div>
  );
}

function SkippedLine({ change, columns, context, jump }: Omit<SkippedProps, "session"> & { change: SkippedChange }): ReactElement {
  const column = columns.find((candidate) => candidate.id === change.column);
  return (
    <li className="cg-conflict">
      <button className="cg-link" onClick={() => jump(change)}>{column ? `${column.name} · ` : ""}row #{change.row}</button>
      <p>{change.reason}{change.by && <span className="cg-faint"> {change.by}, {formatTime(change.at, context)}</span>}</p>
    </li>
  );
}

/** Ctrl/⌘+Z, Shift+Ctrl/⌘+Z and Ctrl+Y, while the grid has the focus and no editor is open. */
export function useUndoKeys(session: SheetSession, box: RefObject<HTMLElement | null>, isTyping: boolean): void {
  const typing = useRef(isTyping);
  typing.current = isTyping;
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      const direction = directionOf(event);
      if (!direction || typing.current || !box.current?.contains(document.activeElement) || isField(event.target)) return;
      event.preventDefault();
      event.stopPropagation();
      session.undo.press(direction);
    };
    window.addEventListener("keydown", press, true);
    return () => window.removeEventListener("keydown", press, true);
  }, [session, box]);
}

/** Shows the result of the last undo or redo below the grid for a moment. */
export function useMessage(session: SheetSession, show: (text: string) => void): void {
  const { message } = session;
  useEffect(() => {
    if (!message) return;
    show(message);
    session.message = "";
  }, [session, message, show]);
}

function directionOf(event: KeyboardEvent): Direction | null {
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return null;
  const key = event.key.toLowerCase();
  if (key === "z") return event.shiftKey ? "redo" : "undo";
  return key === "y" && !event.shiftKey ? "redo" : null;
}

function isField(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;
}
