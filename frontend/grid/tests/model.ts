// A server in a few lines, as strict as the real one: versions per cell, operations answered once, refusals, conflicts.

import type { Command } from "../src/waiting";
import type { Input, Outcome, Wire } from "../src/types";

interface Cell {
  value: Wire;
  version: number;
}

export interface Applied {
  operation: string;
  row: number;
  column: number;
  value: Wire;
}

export const plain = (input: Input): Wire => ("text" in input ? input.text : input.value);
const isBad = (value: Wire): boolean => typeof value === "string" && value.startsWith("bad");

export class ModelServer {
  version = 0;
  rows = new Map<number, Map<number, Cell>>();
  log: Applied[] = [];
  private lastRow = 0;
  private answers = new Map<string, Outcome>();

  constructor(rows: number) {
    for (let i = 0; i < rows; i++) this.rows.set(++this.lastRow, new Map());
  }

  cell(row: number, column: number): Cell {
    return this.rows.get(row)?.get(column) ?? { value: null, version: 0 };
  }

  writeAsSomebodyElse(row: number, column: number, value: Wire): void {
    this.rows.get(row)?.set(column, { value, version: ++this.version });
  }

  deleteAsSomebodyElse(row: number): void {
    if (this.rows.delete(row)) this.version++;
  }

  apply(command: Command): Outcome {
    const answered = this.answers.get(command.id);
    if (answered) return answered;
    const outcome: Outcome = {
      version: ++this.version, saved: [], added: [], deleted: [], refused: [], conflicts: [], gone: [],
    };
    for (const edit of command.edits) this.edit(command.id, edit, outcome);
    for (const add of command.adds) this.add(command.id, add, outcome);
    this.answers.set(command.id, outcome);
    return structuredClone(outcome);
  }

  private edit(operation: string, edit: Command["edits"][number], outcome: Outcome): void {
    const { row, column } = edit;
    if (typeof row === "string") throw new Error("A client's key is no row of the server's.");
    const cells = this.rows.get(row);
    const value = plain(edit.input);
    const before = this.cell(row, column);
    if (!cells) outcome.gone.push({ row, column, reason: "The row was deleted." });
    else if (isBad(value)) outcome.refused.push({ row, column, text: String(value), reason: "That is no value." });
    else if (edit.base !== null && before.version > edit.base) {
      const who = { by: { id: "2", name: "Ben" }, at: "2026-01-01T00:00:00Z", version: before.version };
      outcome.conflicts.push({ row, column, mine: value, theirs: before.value, original: null, ...who });
    } else {
      cells.set(column, { value, version: this.version });
      this.log.push({ operation, row, column, value });
      outcome.saved.push({ row, column, value, version: this.version });
    }
  }

  private add(operation: string, add: Command["adds"][number], outcome: Outcome): void {
    const cells = Object.entries(add.cells).map(([column, input]) => [Number(column), plain(input)] as const);
    const bad = cells.filter(([, value]) => isBad(value));
    for (const [column, value] of bad) {
      outcome.refused.push({ key: add.key, column, text: String(value), reason: "That is no value." });
    }
    if (bad.length > 0) return;
    const row = ++this.lastRow;
    this.rows.set(row, new Map(cells.map(([column, value]) => [column, { value, version: this.version }])));
    for (const [column, value] of cells) this.log.push({ operation, row, column, value });
    outcome.added.push({ key: add.key, row, values: {} });
  }
}
