// The commands in the outbox, and the state of each cell that follows from them.

import type { ConflictFact, Input, RowRef, CellValue } from "./types";

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
  /** The sheet's version on the screen when its first cell was typed: a column may have got another type since. */
  base?: number;
}

/** One user action. Its id makes a repeated request harmless. */
export interface Command {
  id: string;
  edits: Edit[];
  adds: Add[];
  deletes: number[];
}

export type RejectionKind = "refused" | "conflict" | "gone";

/** A value that the server did not accept; it is kept until the user corrects or discards it. */
export interface RejectedEdit {
  kind: RejectionKind;
  row: RowRef;
  column: number | null;
  input: Input;
  reason: string;
  /** The version that the edit was based on. */
  base: number | null;
  conflict?: ConflictFact;
}

export interface CellState {
  /** "held": a cell of a new row that waits because another cell of that row was refused. */
  state: "saving" | "held" | RejectionKind;
  input: Input;
  rejected?: RejectedEdit;
}

export interface Draft {
  cells: Record<string, Input>;
  /** Why the row was refused, by column id; "" holds what concerns the whole row. */
  reasons: Record<string, string>;
  base?: number | undefined;
}

export interface Saved {
  queue: Command[];
  issues: RejectedEdit[];
  drafts: Record<string, Draft>;
  made: Record<string, { row: number; version: number }>;
}

/** The server's limits for one command: cells and rows, and the size of the body. */
export const MAX_COMMAND_SIZE = 5000;
const MAX_COMMAND_CHARACTERS = 500_000;

/** Split edits into commands within the limits. The edits of a row stay together, so that a new row is added once. */
export function splitEdits(edits: readonly Edit[]): Edit[][] {
  const commands: Edit[][] = [];
  let [count, characters] = [MAX_COMMAND_SIZE, 0];
  for (const row of byRow(edits)) {
    const size = row.length + (typeof row[0]?.row === "string" ? 1 : 0); // A new row counts beside its cells.
    const length = row.reduce((sum, { input }) => sum + JSON.stringify(input).length, 0);
    if (count + size > MAX_COMMAND_SIZE || characters + length > MAX_COMMAND_CHARACTERS) {
      commands.push([]);
      [count, characters] = [0, 0];
    }
    commands.at(-1)?.push(...row);
    [count, characters] = [count + size, characters + length];
  }
  return commands;
}

function byRow(edits: readonly Edit[]): Edit[][] {
  const rows = new Map<RowRef, Edit[]>();
  for (const edit of edits) {
    const rowEdits = rows.get(edit.row);
    if (rowEdits) rowEdits.push(edit);
    else rows.set(edit.row, [edit]);
  }
  return [...rows.values()];
}

export const cellKey = (row: RowRef, column: number | null): string => `${row}:${column ?? ""}`;

/** The rejected cells of a new row. */
export function rejectedDraftCells(key: string, draft: Draft): RejectedEdit[] {
  return Object.entries(draft.reasons).map(([column, reason]) => ({
    kind: "refused",
    row: key,
    column: column === "" ? null : Number(column),
    input: draft.cells[column] ?? { value: null as CellValue },
    reason,
    base: null,
  }));
}

/** The state of each cell: pending, or else rejected. */
export function cellStates(queue: Command[], rejectedEdits: Map<string, RejectedEdit>, drafts: Map<string, Draft>): Map<string, CellState> {
  const cells = new Map<string, CellState>();
  for (const [key, rejected] of rejectedEdits) cells.set(key, { state: rejected.kind, input: rejected.input, rejected });
  for (const [key, draft] of drafts) {
    for (const [column, input] of Object.entries(draft.cells)) {
      cells.set(`${key}:${column}`, { state: "held", input });
    }
    for (const rejected of rejectedDraftCells(key, draft)) {
      cells.set(cellKey(key, rejected.column), { state: "refused", input: rejected.input, rejected });
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

/** The pending edits of each cell. */
export function editsByCell(queue: Command[]): Map<string, Edit[]> {
  const edits = new Map<string, Edit[]>();
  for (const edit of queue.flatMap((command) => command.edits)) {
    const key = cellKey(edit.row, edit.column);
    const cellEdits = edits.get(key);
    if (cellEdits) cellEdits.push(edit);
    else edits.set(key, [edit]);
  }
  return edits;
}
