// Copying what was typed and not saved: the button, and the block of text that spreadsheets take.

import { useEffect, useState, type ReactElement } from "react";
import { plainText, type Context } from "./format";
import { formatBlock } from "./tsv";
import type { Column } from "./types";
import type { Issue } from "./commands";

const SAID_MS = 1600;

export function CopyButton({ text, label, isMain }: { text: () => string; label: string; isMain?: boolean }): ReactElement {
  const [isDone, setDone] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setDone(false), SAID_MS);
    return () => clearTimeout(timer);
  }, [isDone]);
  const copy = (): void => void copyText(text()).then(() => setDone(true));
  return <button className={isMain ? "cg-main" : ""} data-testid="grid-copy" onClick={copy}>{isDone ? "Copied" : label}</button>;
}

/** One line per row and one field per column, so that the block can be pasted where it belongs. */
export function blockOf(issues: readonly Issue[], columns: readonly Column[], context: Context): string {
  const typed = issues.filter((issue) => issue.column !== null);
  const used = [...new Set(typed.map((issue) => issue.column))];
  const place = (id: number | null): number => columns.findIndex((column) => column.id === id);
  used.sort((a, b) => place(a) - place(b));
  const rows = new Map<Issue["row"], string[]>();
  for (const issue of typed) {
    const line = rows.get(issue.row) ?? used.map(() => "");
    line[used.indexOf(issue.column)] = copiedText(issue, columns[place(issue.column)], context);
    rows.set(issue.row, line);
  }
  return formatBlock([...rows.values()]);
}

/** As it was typed; what was picked or filled in as other programs read it. */
export function copiedText({ input }: Issue, column: Column | undefined, context: Context): string {
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

/** Where the page is not on https: the copy event takes the text without a field that would take the keyboard. */
function copyByEvent(text: string): void {
  const give = (event: ClipboardEvent): void => {
    event.clipboardData?.setData("text/plain", text);
    event.preventDefault();
  };
  window.addEventListener("copy", give, true);
  document.execCommand("copy");
  window.removeEventListener("copy", give, true);
}
