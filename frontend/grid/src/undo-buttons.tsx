// Undo and redo at the left of the line below the grid, their keys, and the list of what was left alone.

import { useEffect, useRef, type ReactElement, type RefObject } from "react";
import { when } from "../../sheet/src/rejected-edit";
import type { Context } from "../../sheet/src/format";
import type { Scene } from "./scene";
import type { SheetSession } from "../../sheet/src/session";
import type { Column } from "../../sheet/src/types";
import type { Left, Which } from "../../sheet/src/undo";

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
      {session.undo.leftCount > 0 && <LeftAlone session={session} columns={data.columns} context={context} jump={jump} />}
    </span>
  );
}

const SHAPES = { undo: "M7 3 3 7l4 4M3 7h6.5a3.5 3.5 0 0 1 0 7H6", redo: "M9 3l4 4-4 4M13 7H6.5a3.5 3.5 0 0 0 0 7H10" };

function Arrow({ which, session, keys }: { which: Which; session: SheetSession; keys: string }): ReactElement {
  const step = session.undo.next[which];
  const isPending = session.undo.pending.includes(which);
  const name = which === "undo" ? "Undo" : "Redo";
  const said = step ? `${name}: ${step.said} (${keys})` : `Nothing of yours to ${which}`;
  return (
    <button className={`cg-arrow${isPending ? " cg-busy" : ""}`} aria-label={said} title={said} disabled={!step} aria-busy={isPending}
      data-testid={`grid-${which}`} onMouseDown={(event) => event.preventDefault()} onClick={() => session.undo.press(which)}>
      <svg viewBox="0 0 16 16" width="15" height="15" fill="none" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" strokeLinejoin="round">
        <path d={SHAPES[which]} />
      </svg>
    </button>
  );
}

interface LeftProps {
  session: SheetSession;
  columns: Column[];
  context: Context;
  jump: UndoProps["jump"];
}

function LeftAlone({ session, columns, context, jump }: LeftProps): ReactElement {
  const { left, leftCount, forget } = session.undo;
  return (
    <div className="cg-panel cg-left-alone" role="status" data-testid="grid-left-alone" onMouseDown={(event) => event.preventDefault()}>
      <div className="cg-issues">
        <header>
          <strong>{leftCount === 1 ? "One thing was left alone" : `${leftCount.toLocaleString()} things were left alone`}</strong>
          <span className="cg-buttons"><button onClick={forget}>Close</button></span>
        </header>
        <ul>{left.map((one) => <LeftLine key={`${one.row}:${one.column}`} left={one} columns={columns} context={context} jump={jump} />)}</ul>
        {leftCount > left.length && <p className="cg-faint">and {(leftCount - left.length).toLocaleString()} more</p>}
      </div>
    </div>
  );
}

function LeftLine({ left, columns, context, jump }: Omit<LeftProps, "session"> & { left: Left }): ReactElement {
  const column = columns.find((one) => one.id === left.column);
  return (
    <li className="cg-conflict">
      <button className="cg-link" onClick={() => jump(left)}>{column ? `${column.name} · ` : ""}row #{left.row}</button>
      <p>{left.reason}{left.by && <span className="cg-faint"> {left.by}, {when(left.at, context)}</span>}</p>
    </li>
  );
}

/** Ctrl/⌘+Z, Shift+Ctrl/⌘+Z and Ctrl+Y, while the focus is on the grid and nobody types there. */
export function useUndoKeys(session: SheetSession, box: RefObject<HTMLElement | null>, isTyping: boolean): void {
  const typing = useRef(isTyping);
  typing.current = isTyping;
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      const which = pressed(event);
      if (!which || typing.current || !box.current?.contains(document.activeElement) || isField(event.target)) return;
      event.preventDefault();
      event.stopPropagation();
      session.undo.press(which);
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

function pressed(event: KeyboardEvent): Which | null {
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return null;
  const key = event.key.toLowerCase();
  if (key === "z") return event.shiftKey ? "redo" : "undo";
  return key === "y" && !event.shiftKey ? "redo" : null;
}

function isField(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;
}
