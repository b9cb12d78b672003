// Puts the right editor over its cell.

import { useLayoutEffect, useRef, type ComponentType, type CSSProperties, type MutableRefObject, type ReactElement } from "react";
import { createPortal } from "react-dom";
import { ChoiceEditor, ChoicesEditor } from "./choice";
import { DateEditor } from "./date";
import { LEFT, type EditorProps } from "./editor";
import { TextEditor } from "./text";
import type { Input } from "../types";

const EDITORS: Record<string, ComponentType<EditorProps>> = {
  choice: ChoiceEditor, person: ChoiceEditor, choices: ChoicesEditor, date: DateEditor, datetime: DateEditor,
};

export interface Bounds {
  x: number;
  y: number;
  width: number;
  height: number;
}

interface OverlayProps extends Omit<EditorProps, "unsaved"> {
  bounds: Bounds;
  portal: Element;
  /** What became of the cell while the editor is open. */
  note: string | null;
}

export function EditorOverlay({ bounds, portal, note, ...props }: OverlayProps): ReactElement {
  const Editor = EDITORS[props.editing.column.type] ?? TextEditor;
  // Leaving the field after Enter or Escape blurs it once more: only the first word counts.
  const isDone = useRef(false);
  const unsaved = useRef<() => Input | null>(() => null);
  const done: EditorProps["done"] = (input, move) => {
    if (isDone.current) return;
    isDone.current = true;
    props.done(input, move);
  };
  useTaken(isDone, () => done(unsaved.current(), LEFT));
  return createPortal(
    <div className="cg-editor" style={placed(bounds)}>
      <Editor {...props} done={done} unsaved={unsaved} />
      {note && <p className={bounds.y > NOTE_ROOM ? "cg-meanwhile" : "cg-meanwhile cg-under"} role="status" data-testid="grid-meanwhile">{note}</p>}
    </div>,
    portal,
  );
}

const NOTE_ROOM = 70;

/** The page took the grid away with the editor open (a right was withdrawn, somebody went back): keep what was typed. */
function useTaken(isDone: MutableRefObject<boolean>, keep: () => void): void {
  const now = useRef(keep);
  now.current = keep;
  // Before the session ends, which is a later effect of the same unmounting.
  useLayoutEffect(() => () => {
    if (!isDone.current) now.current();
  }, [isDone]);
}

const ROOM = 330;

/** Over the cell, inside the window; what opens below opens above where there is no room. */
function placed({ x, y, width, height }: Bounds): CSSProperties {
  const wide = Math.min(Math.max(width + 1, 120), window.innerWidth - 8);
  const left = Math.max(4, Math.min(x, window.innerWidth - wide - 4));
  const isLow = y + ROOM > window.innerHeight && y > ROOM;
  const vertical = isLow ? { bottom: window.innerHeight - y - height } : { top: y };
  return { left, width: wide, minHeight: height + 1, ...vertical, flexDirection: isLow ? "column-reverse" : "column" };
}
