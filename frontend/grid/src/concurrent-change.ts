// What became of a cell while its editor is open: said beside the editor, which goes on undisturbed.

import type { Editing } from "./editors/editor";
import { shown } from "../../sheet/src/format";
import type { Scene } from "./scene";

const AFTERWARDS = "What you type can be copied afterwards.";

/** One sentence, or null where everything is as it was when the editor opened. */
export function meanwhile({ view, session, data, context }: Scene, { row, column, since }: Editing): string | null {
  if (!data.columns.some((one) => one.id === column.id)) return `This column was deleted meanwhile. ${AFTERWARDS}`;
  if (!data.can_edit && !data.can_add) return `You may no longer write into this sheet. ${AFTERWARDS}`;
  const id = typeof row === "string" ? session.outbox.rowOf(row) : row;
  const stored = id === undefined ? undefined : view.reader.rows.get(id);
  if (!stored) return null;
  if (stored.removed) return `This row was deleted meanwhile. ${AFTERWARDS}`;
  // Only what others write glows, from the moment in which it is seen here.
  const glow = stored.glow[column.id];
  if (!glow || glow.since < since) return null;
  const text = shown(stored.values[column.id] ?? null, column, context);
  const who = context.people[glow.by] ?? "Somebody";
  return text === "" ? `${who} emptied this cell meanwhile.` : `${who} changed this to ${brief(text)} meanwhile.`;
}

const LONGEST = 60;

function brief(text: string): string {
  const line = text.replace(/\s+/g, " ");
  return line.length > LONGEST ? `“${line.slice(0, LONGEST)}…”` : `“${line}”`;
}
