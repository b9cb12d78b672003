// Copying edits that were not saved: the button, and the text block for spreadsheets.

import { useEffect, useState, type ReactElement } from "react";
import { plainText, type Context } from "./format";
import { formatBlock } from "./tsv";
import type { Column } from "./types";
import type { RejectedEdit } from "./commands";

const FEEDBACK_MS = 1600;

export function CopyButton({ text, label, isMain }: { text: () => string; label: string; isMain?: boolean }): ReactElement {
  const [isDone, setDone] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setDone(false), FEEDBACK_MS);
    return () => clearTimeout(timer);
  }, [isDone]);
  const copy = (): void => void copyText(text()).then(() => setDone(true));
  return <button className={isMain ? "cg-main" : ""} data-testid="grid-copy" onClick={copy}>{isDone ? "Copied" : label}</button>;
}

/** One line per row and one field per column, so that the block can be pasted where it belongs. */
export function blockOf(rejected: readonly RejectedEdit[], columns: readonly Column[], context: Context): string {
  const cells = rejected.filter((edit) => edit.column !== null);
  const used = [...new Set(cells.map((edit) => edit.column))];
  const position = (id: number | null): number => columns.findIndex((column) => column.id === id);
  used.sort((a, b) => position(a) - position(b));
  const rows = new Map<RejectedEdit["row"], string[]>();
  for (const edit of cells) {
    const line = rows.get(edit.row) ?? used.map(() => "");
    line[used.indexOf(edit.column)] = copyValue(edit, columns[position(edit.column)], context);
    rows.set(edit.row, line);
  }
  return formatBlock([...rows.values()]);
}

/** Typed text unchanged; picked values as plain text. */
export function copyValue({ input }: RejectedEdit, column: Column | undefined, context: Context): string {
  if ("text" in input) return input.text;
  return column ? plainText(input.value, column, context) : String(input.value ?? "");
}

async function copyText(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    copyByEvent(text);
  }
}

/** Without https: the copy event takes the text without a field that would take the focus. */
function copyByEvent(text: string): void {
  const setText = (event: ClipboardEvent): void => {
    event.clipboardData?.setData("text/plain", text);
    event.preventDefault();
  };
  window.addEventListener("copy", setText, true);
  document.execCommand("copy");
  window.removeEventListener("copy", setText, true);
}
