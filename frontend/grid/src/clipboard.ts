// Copy, cut and paste on the grid. Our own listeners: the clipboard of the event needs neither permission nor https.

import { useEffect, useRef, type RefObject } from "react";
import { clear, copied, paste, spread, withRows, type Hands, type Rect } from "./actions";
import { parseBlock } from "./tsv";

export interface ClipboardScene {
  hands: Hands;
  box: RefObject<HTMLElement | null>;
  ranges: readonly Rect[];
}

export function useClipboard(scene: ClipboardScene): void {
  const now = useRef(scene);
  now.current = scene;
  useEffect(() => {
    const listen = (event: ClipboardEvent): void => handle(event, now.current);
    for (const kind of ["copy", "cut", "paste"] as const) window.addEventListener(kind, listen, true);
    return () => {
      for (const kind of ["copy", "cut", "paste"] as const) window.removeEventListener(kind, listen, true);
    };
  }, []);
}

function handle(event: ClipboardEvent, scene: ClipboardScene): void {
  const { box, ranges } = scene;
  const [range] = ranges;
  if (!range || !box.current?.contains(document.activeElement) || isField(document.activeElement)) return;
  event.preventDefault();
  event.stopPropagation();
  if (event.type === "paste") take(event.clipboardData?.getData("text/plain") ?? "", range, scene);
  else give(event, scene);
}

function isField(element: Element | null): boolean {
  return element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement;
}

function give(event: ClipboardEvent, scene: ClipboardScene): void {
  const text = textOf(scene);
  if (text !== null) event.clipboardData?.setData("text/plain", text);
  else giveLater(scene);
  if (event.type === "cut" && text !== null && scene.hands.canEdit) clear(scene.hands, scene.ranges);
}

function textOf({ hands, ranges }: ClipboardScene): string | null {
  const texts = ranges.map((range) => copied(hands, range));
  return texts.includes(null) ? null : texts.join("\n");
}

/** Rows that were never scrolled to are read first; the browser may want the key pressed once more then. */
function giveLater(scene: ClipboardScene): void {
  const { hands, ranges } = scene;
  hands.notice("Reading the rows to copy…");
  withRows(hands, ranges, () => {
    const copying = navigator.clipboard?.writeText(textOf(scene) ?? "") ?? Promise.reject(new Error("no clipboard"));
    copying.then(
      () => hands.notice("Copied."),
      () => hands.notice("The rows are read now: press copy once more."),
    );
  });
}

function take(text: string, range: Rect, { hands }: ClipboardScene): void {
  if (text !== "") paste(hands, range, spread(parseBlock(text), range));
}
