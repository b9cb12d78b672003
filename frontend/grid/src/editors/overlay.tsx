// Puts the right editor over its cell.

import type { DataEditorRef } from "@glideapps/glide-data-grid";
import {
  useEffect, useLayoutEffect, useRef, useState,
  type ComponentType, type CSSProperties, type FocusEvent, type MutableRefObject, type ReactElement, type RefObject,
} from "react";
import { createPortal } from "react-dom";
import { isDate } from "../../../sheet/src/format";
import { ChoiceEditor, ChoicesEditor } from "./choice";
import { DateEditor } from "./date";
import { LEFT, type EditorProps } from "./editor";
import { RelationEditor } from "./relation";
import { TextEditor } from "./text";
import type { Column, Input } from "../../../sheet/src/types";

function editorOf(column: Column): ComponentType<EditorProps> {
  if (column.ids_of === "rows") return RelationEditor;
  if (column.ids_of) return column.form === "strings" ? ChoicesEditor : ChoiceEditor;
  return isDate(column) ? DateEditor : TextEditor;
}

export interface Bounds {
  x: number;
  y: number;
  width: number;
  height: number;
}

interface OverlayProps extends Omit<EditorProps, "unsaved"> {
  bounds: Bounds;
  portal: Element;
  /** A note on changes of the cell while the editor is open. */
  note: string | null;
  grid: RefObject<DataEditorRef>;
}

export function EditorOverlay({ bounds, portal, note, ...props }: OverlayProps): ReactElement {
  const Editor = editorOf(props.editing.column);
  // Leaving the field after Enter or Escape blurs it once more: only the first call counts.
  const isDone = useRef(false);
  const unsaved = useRef<() => Input | null>(() => null);
  const done: EditorProps["done"] = (input, move) => {
    if (isDone.current) return;
    isDone.current = true;
    props.done(input, move);
  };
  useSaveOnUnmount(isDone, () => done(unsaved.current(), LEFT));
  const box = useRef<HTMLDivElement>(null);
  const keepFocus = useFocusGuard(box, props.grid, isDone, () => done(unsaved.current(), LEFT));
  return createPortal(
    <div ref={box} className="cg-editor" style={useInWindow(box, bounds)} onBlurCapture={keepFocus}>
      <Editor {...props} done={done} unsaved={unsaved} />
      {note && <p className={bounds.y > NOTE_ROOM ? "cg-meanwhile" : "cg-meanwhile cg-under"} role="status" data-testid="grid-meanwhile">{note}</p>}
    </div>,
    portal,
  );
}

const NOTE_ROOM = 70;

/** Keep the typed text if the page removes the grid while the editor is open (after navigation or a loss of rights). */
function useSaveOnUnmount(isDone: MutableRefObject<boolean>, keep: () => void): void {
  const now = useRef(keep);
  now.current = keep;
  // It runs before the view closes, which is a later effect of the unmount.
  useLayoutEffect(() => () => {
    if (!isDone.current) now.current();
  }, [isDone]);
}

/**
 * On a press Glide moves the focus itself, a frame later. Text typed in that frame would go into
 * the old cell, and an editor that opened in it would lose the focus. So a press elsewhere ends this editor at once, and
 * focus that the grid takes without a press is returned.
 */
function useFocusGuard(
  box: RefObject<HTMLElement>, grid: RefObject<DataEditorRef>, isDone: RefObject<boolean>, leave: () => void,
): (event: FocusEvent) => void {
  const isPressed = useRef(false);
  const now = useRef(leave);
  now.current = leave;
  useEffect(() => {
    const press = (event: Event): void => {
      const path = event.composedPath();
      if (box.current && path.includes(box.current)) return;
      isPressed.current = true;
      if (event.type !== "mousedown" || !path.some(isOfGrid)) return;
      now.current();
      grid.current?.focus();
    };
    for (const kind of ["mousedown", "touchstart"]) window.addEventListener(kind, press, true);
    return () => {
      for (const kind of ["mousedown", "touchstart"]) window.removeEventListener(kind, press, true);
    };
  }, [box, grid]);
  return (event) => {
    if (isDone.current || isPressed.current || !isOfGrid(event.relatedTarget)) return;
    event.stopPropagation();
    (event.target as HTMLElement).focus({ preventScroll: true });
  };
}

function isOfGrid(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest(".cg-canvas") !== null;
}

const ROOM = 330;
const MARGIN = 4;

/** The position over the cell. Lists open above if there is no room below; what is wider or higher is moved into the window. */
function useInWindow(box: RefObject<HTMLElement>, { x, y, width, height }: Bounds): CSSProperties {
  const [size, setSize] = useState({ width: 0, height: 0 });
  useLayoutEffect(() => {
    if (!box.current) return;
    const measure = (): void => {
      const { scrollWidth, scrollHeight } = box.current ?? { scrollWidth: 0, scrollHeight: 0 };
      setSize((now) => (now.width === scrollWidth && now.height === scrollHeight ? now : { width: scrollWidth, height: scrollHeight }));
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(box.current);
    return () => observer.disconnect();
  }, [box]);
  const editorWidth = Math.min(Math.max(width + 1, 120), window.innerWidth - 2 * MARGIN);
  const left = Math.max(MARGIN, Math.min(x, window.innerWidth - Math.max(editorWidth, size.width) - MARGIN));
  const isLow = y + ROOM > window.innerHeight && y > ROOM;
  const top = Math.max(MARGIN, Math.min(y, window.innerHeight - size.height - MARGIN));
  const vertical = isLow ? { bottom: Math.max(MARGIN, window.innerHeight - y - height) } : { top };
  return { left, width: editorWidth, minHeight: height + 1, ...vertical, flexDirection: isLow ? "column-reverse" : "column" };
}
