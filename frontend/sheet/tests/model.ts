// A server in a few lines, as strict as the real one: versions per cell, operations answered once, refusals, conflicts.

import type { Command } from "../src/commands";
import type { ChangedRow, Input, Outcome, CellValue } from "../src/types";

interface Cell {
  value: CellValue;
  version: number;
  by: string;
}

export interface Applied {
  operation: string;
  row: number;
  column: number;
  value: CellValue;
  by: string;
  /** What stood there before. */
  over: Cell;
}

interface Told {
  version: number;
  kind: "add" | "edit" | "remove" | "restore";
  row: number;
  by: string;
  values: Record<string, CellValue>;
}

/** Thrown where the whole request is refused. */
export class Refused extends Error {}

export const plain = (input: Input): CellValue => ("text" in input ? input.text : input.value);
const isBad = (value: CellValue): boolean => typeof value === "string" && value.startsWith("bad");
const NOTHING: Cell = { value: null, version: 0, by: "" };

export class ModelServer {
  version = 0;
  rows = new Map<number, Map<number, Cell>>();
  trash = new Map<number, Map<number, Cell>>();
  log: Applied[] = [];
  /** Whose right to write is withdrawn. */
  forbidden = new Set<string>();
  private told: Told[] = [];
  private lastRow = 0;
  private answers = new Map<string, Outcome>();

  constructor(rows: number) {
    for (let i = 0; i < rows; i++) this.rows.set(++this.lastRow, new Map());
  }

  cell(row: number, column: number): Cell {
    return this.rows.get(row)?.get(column) ?? NOTHING;
  }

  writeAsSomebodyElse(row: number, column: number, value: CellValue): void {
    if (!this.rows.has(row)) return;
    this.version += 1;
    this.write("else", row, column, value, "somebody else");
  }

  deleteAsSomebodyElse(row: number): void {
    const cells = this.rows.get(row);
    if (!cells) return;
    this.rows.delete(row);
    this.trash.set(row, cells);
    this.tell("remove", row, "somebody else", {}, ++this.version);
  }

  restoreAsSomebodyElse(row: number): void {
    const cells = this.trash.get(row);
    if (!cells) return;
    this.trash.delete(row);
    this.rows.set(row, cells);
    this.tell("restore", row, "somebody else", valuesOf(cells), ++this.version);
  }

  apply(command: Command, by = "me"): Outcome {
    const answered = this.answers.get(command.id);
    if (answered) return structuredClone(answered);
    if (this.forbidden.has(by)) throw new Refused("You may only read this sheet.");
    const outcome: Outcome = {
      version: ++this.version, saved: [], added: [], deleted: [], refused: [], conflicts: [], gone: [],
    };
    for (const edit of command.edits) this.edit(command.id, edit, outcome, by);
    for (const add of command.adds) this.add(command.id, add, outcome, by);
    this.answers.set(command.id, outcome);
    return structuredClone(outcome);
  }

  /** What a grid is told of the changes since a version. */
  changesSince(since: number): ChangedRow[] {
    const rows = new Map<number, ChangedRow>();
    for (const one of this.told.filter(({ version }) => version > since)) {
      const row = rows.get(one.row) ?? { id: one.row, values: {}, versions: {} };
      rows.set(one.row, row);
      row.by = { id: one.by, name: one.by };
      Object.assign(row.values, one.values);
      if (one.kind === "edit") for (const column of Object.keys(one.values)) row.versions[column] = one.version;
      else row.removed = one.kind === "remove";
      row.added ||= one.kind === "add" || one.kind === "restore";
    }
    return structuredClone([...rows.values()]);
  }

  private write(operation: string, row: number, column: number, value: CellValue, by: string): void {
    const over = this.cell(row, column);
    this.rows.get(row)?.set(column, { value, version: this.version, by });
    this.log.push({ operation, row, column, value, by, over });
    this.tell("edit", row, by, { [column]: value });
  }

  private tell(kind: Told["kind"], row: number, by: string, values: Told["values"], version = this.version): void {
    this.told.push({ version, kind, row, by, values });
  }

  private edit(operation: string, edit: Command["edits"][number], outcome: Outcome, by: string): void {
    const { row, column } = edit;
    if (typeof row === "string") throw new Error("A client's key is no row of the server's.");
    const value = plain(edit.input);
    const before = this.cell(row, column);
    if (!this.rows.has(row)) outcome.gone.push({ row, column, reason: "The row was deleted." });
    else if (isBad(value)) outcome.refused.push({ row, column, text: String(value), reason: "That is no value." });
    else if (value === before.value) outcome.saved.push({ row, column, value, version: before.version });
    else if (edit.base !== null && before.version > edit.base) {
      const who = { by: { id: before.by, name: before.by }, at: "2026-01-01T00:00:00Z", version: before.version };
      outcome.conflicts.push({ row, column, mine: value, theirs: before.value, original: null, ...who });
    } else {
      this.write(operation, row, column, value, by);
      outcome.saved.push({ row, column, value, version: this.version });
    }
  }

  private add(operation: string, add: Command["adds"][number], outcome: Outcome, by: string): void {
    const cells = Object.entries(add.cells).map(([column, input]) => [Number(column), plain(input)] as const);
    const bad = cells.filter(([, value]) => isBad(value));
    for (const [column, value] of bad) {
      outcome.refused.push({ key: add.key, column, text: String(value), reason: "That is no value." });
    }
    if (bad.length > 0) return;
    const row = ++this.lastRow;
    const made = new Map(cells.map(([column, value]) => [column, { value, version: this.version, by }]));
    this.rows.set(row, made);
    for (const [column, value] of cells) this.log.push({ operation, row, column, value, by, over: NOTHING });
    this.tell("add", row, by, valuesOf(made));
    outcome.added.push({ key: add.key, row, values: valuesOf(made) });
  }
}

function valuesOf(cells: Map<number, Cell>): Record<string, CellValue> {
  return Object.fromEntries([...cells].map(([column, { value }]) => [column, value]));
}
