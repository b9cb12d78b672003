// Copy, cut and paste on the grid. Own listeners: the clipboard of an event needs neither permission nor https.

import { useEffect, useRef, type RefObject } from "react";
import { clear, copiedBlock, paste, repeated, withRows, type ActionScope, type Rect } from "./actions";
import { formatTable, tableOf, type Pasted } from "./html-table";
import { formatBlock, parseBlock } from "../../sheet/src/tsv";

export interface ClipboardScene {
  actions: ActionScope;
  box: RefObject<HTMLElement | null>;
  ranges: readonly Rect[];
}

export function useClipboard(scene: ClipboardScene): void {
  const current = useRef(scene);
  current.current = scene;
  useEffect(() => {
    const listen = (event: ClipboardEvent): void => handle(event, current.current);
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
  if (event.type === "paste") pasteFrom(event.clipboardData, range, scene);
  else copyTo(event, scene);
}

function isField(element: Element | null): boolean {
  return element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement;
}

function copyTo(event: ClipboardEvent, scene: ClipboardScene): void {
  const block = blockOf(scene);
  if (!block) {
    copyLater(scene);
    return;
  }
  for (const [kind, text] of Object.entries(formats(block))) event.clipboardData?.setData(kind, text);
  if (event.type === "cut" && scene.actions.canEdit) clear(scene.actions, scene.ranges);
}

function blockOf({ actions, ranges }: ClipboardScene): Pasted[][] | null {
  const blocks = ranges.map((range) => copiedBlock(actions, range));
  return blocks.includes(null) ? null : blocks.flatMap((block) => block ?? []);
}

/** As plain text, and as an HTML table with exact values. */
function formats(block: Pasted[][]): Record<string, string> {
  return { "text/plain": formatBlock(block.map((row) => row.map(({ text }) => text))), "text/html": formatTable(block, location.origin) };
}

/** Read rows that are not loaded first; the browser may then require another key press. */
function copyLater(scene: ClipboardScene): void {
  const { actions, ranges } = scene;
  actions.notice("Reading the rows to copy…");
  withRows(actions, ranges, () => {
    const parts = Object.entries(formats(blockOf(scene) ?? [])).map(([kind, text]) => [kind, new Blob([text], { type: kind })] as const);
    const copying = navigator.clipboard?.write([new ClipboardItem(Object.fromEntries(parts))]) ?? Promise.reject(new Error("no clipboard"));
    copying.then(
      () => actions.notice("Copied."),
      () => actions.notice("The rows are read now: press copy once more."),
    );
  });
}

function pasteFrom(data: DataTransfer | null, range: Rect, { actions }: ClipboardScene): void {
  const [text, html] = [data?.getData("text/plain") ?? "", data?.getData("text/html") ?? ""];
  const block = tableOf(html, location.origin) ?? (text === "" ? null : parseBlock(text).map((row) => row.map((cell) => ({ text: cell }))));
  if (block) paste(actions, range, repeated(block, range));
}
