// A note beside an open editor on changes of its cell.

import type { Editing } from "./editors/editor";
import { displayText } from "../../sheet/src/format";
import type { Scene } from "./scene";

const COPY_HINT = "What you type can be copied afterwards.";

/** One sentence, or null if nothing has changed since the editor opened. */
export function concurrentChange({ view, session, data, context }: Scene, { row, column, since }: Editing): string | null {
  if (!data.columns.some((candidate) => candidate.id === column.id)) return `This column was deleted meanwhile. ${COPY_HINT}`;
  if (!data.can_edit && !data.can_add) return `You may no longer write into this sheet. ${COPY_HINT}`;
  const id = typeof row === "string" ? session.outbox.rowOf(row) : row;
  const stored = id === undefined ? undefined : view.reader.rows.get(id);
  if (!stored) return null;
  if (stored.removed) return `This row was deleted meanwhile. ${COPY_HINT}`;
  // Only changes by others are highlighted, from the moment they arrive.
  const highlight = stored.highlights[column.id];
  if (!highlight || highlight.since < since) return null;
  const text = displayText(stored.values[column.id] ?? null, column, context);
  const name = context.people[highlight.by] ?? "Somebody";
  return text === "" ? `${name} emptied this cell meanwhile.` : `${name} changed this to ${shortened(text)} meanwhile.`;
}

const MAX_LENGTH = 60;

function shortened(text: string): string {
  const line = text.replace(/\s+/g, " ");
  return line.length > MAX_LENGTH ? `“${line.slice(0, MAX_LENGTH)}…”` : `“${line}”`;
}
