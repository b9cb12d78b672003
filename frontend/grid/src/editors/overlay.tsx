// Puts the right editor over its cell.

import { useRef, type ComponentType, type CSSProperties, type ReactElement } from "react";
import { createPortal } from "react-dom";
import { ChoiceEditor, ChoicesEditor } from "./choice";
import { DateEditor } from "./date";
import type { EditorProps } from "./editor";
import { TextEditor } from "./text";

const EDITORS: Record<string, ComponentType<EditorProps>> = {
  choice: ChoiceEditor, person: ChoiceEditor, choices: ChoicesEditor, date: DateEditor, datetime: DateEditor,
};

export interface Bounds {
  x: number;
  y: number;
  width: number;
  height: number;
}

export function EditorOverlay({ bounds, portal, ...props }: EditorProps & { bounds: Bounds; portal: Element }): ReactElement {
  const Editor = EDITORS[props.editing.column.type] ?? TextEditor;
  // Leaving the field after Enter or Escape blurs it once more: only the first word counts.
  const isDone = useRef(false);
  const done: EditorProps["done"] = (input, move) => {
    if (isDone.current) return;
    isDone.current = true;
    props.done(input, move);
  };
  return createPortal(
    <div className="cg-editor" style={placed(bounds)}>
      <Editor {...props} done={done} />
    </div>,
    portal,
  );
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
