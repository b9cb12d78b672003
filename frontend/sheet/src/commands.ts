// What waits in the outbox, and what of it each cell shows.

import type { ConflictFact, Input, RowRef, Wire } from "./types";

export interface Edit {
  row: RowRef;
  column: number;
  input: Input;
  /** The sheet's version that was on the screen when this cell's editor opened. */
  base: number | null;
}

export interface Add {
  key: string;
  cells: Record<string, Input>;
}

/** One user action. Its id makes a repeated request harmless. */
export interface Command {
  id: string;
  edits: Edit[];
  adds: Add[];
  deletes: number[];
}

export type IssueKind = "refused" | "conflict" | "gone";

/** A typed value that did not become the cell's value; it stays until it is mended or dropped. */
export interface Issue {
  kind: IssueKind;
  row: RowRef;
  column: number | null;
  input: Input;
  reason: string;
  /** What the value was typed over. */
  base: number | null;
  conflict?: ConflictFact;
}

export interface CellState {
  /** "held": a cell of a new row that waits because another cell of that row was refused. */
  state: "saving" | "held" | IssueKind;
  input: Input;
  issue?: Issue;
}

export interface Draft {
  cells: Record<string, Input>;
  /** Why the row was refused, by column id; "" holds what concerns the whole row. */
  reasons: Record<string, string>;
}

export interface Saved {
  queue: Command[];
  issues: Issue[];
  drafts: Record<string, Draft>;
  made: Record<string, { row: number; version: number }>;
}

/** The server takes so many cells and rows as one action: others wait meanwhile. Its body has a limit, too. */
export const MOST_AT_ONCE = 5000;
const MOST_CHARACTERS = 500_000;

/** Edits as actions that the server takes. What belongs to one row stays together: a new row is added once. */
export function inParts(edits: readonly Edit[]): Edit[][] {
  const parts: Edit[][] = [];
  let [count, characters] = [MOST_AT_ONCE, 0];
  for (const row of byRow(edits)) {
    const size = row.length + 1; // A new row counts beside its cells.
    const text = row.reduce((sum, { input }) => sum + JSON.stringify(input).length, 0);
    if (count + size > MOST_AT_ONCE || characters + text > MOST_CHARACTERS) {
      parts.push([]);
      [count, characters] = [0, 0];
    }
    parts.at(-1)?.push(...row);
    [count, characters] = [count + size, characters + text];
  }
  return parts;
}

function byRow(edits: readonly Edit[]): Edit[][] {
  const rows = new Map<RowRef, Edit[]>();
  for (const edit of edits) {
    const there = rows.get(edit.row);
    if (there) there.push(edit);
    else rows.set(edit.row, [edit]);
  }
  return [...rows.values()];
}

export const cellKey = (row: RowRef, column: number | null): string => `${row}:${column ?? ""}`;

/** What is wrong with a refused new row, cell by cell. */
export function draftIssues(key: string, draft: Draft): Issue[] {
  return Object.entries(draft.reasons).map(([column, reason]) => ({
    kind: "refused",
    row: key,
    column: column === "" ? null : Number(column),
    input: draft.cells[column] ?? { value: null as Wire },
    reason,
    base: null,
  }));
}

/** Per cell: what waits there, or else what was refused there. */
export function indexed(queue: Command[], issues: Map<string, Issue>, drafts: Map<string, Draft>): Map<string, CellState> {
  const cells = new Map<string, CellState>();
  for (const [key, issue] of issues) cells.set(key, { state: issue.kind, input: issue.input, issue });
  for (const [key, draft] of drafts) {
    for (const [column, input] of Object.entries(draft.cells)) {
      cells.set(`${key}:${column}`, { state: "held", input });
    }
    for (const issue of draftIssues(key, draft)) {
      cells.set(cellKey(key, issue.column), { state: "refused", input: issue.input, issue });
    }
  }
  for (const command of queue) {
    for (const edit of command.edits) {
      cells.set(cellKey(edit.row, edit.column), { state: "saving", input: edit.input });
    }
    for (const add of command.adds) {
      for (const [column, input] of Object.entries(add.cells)) {
        cells.set(`${add.key}:${column}`, { state: "saving", input });
      }
    }
  }
  return cells;
}

/** The edits that wait, per cell. */
export function byCell(queue: Command[]): Map<string, Edit[]> {
  const found = new Map<string, Edit[]>();
  for (const edit of queue.flatMap((one) => one.edits)) {
    const key = cellKey(edit.row, edit.column);
    const there = found.get(key);
    if (there) there.push(edit);
    else found.set(key, [edit]);
  }
  return found;
}
