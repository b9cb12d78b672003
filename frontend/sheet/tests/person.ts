// A person at a grid with a bad connection: what they see, what they have typed, and what is on the wire.

import { Outbox } from "../src/outbox";
import { Rows } from "../src/rows";
import type { Input, Outcome, RowRef } from "../src/types";
import { cellKey, type Command, type RejectedEdit, type Saved } from "../src/commands";
import { Refused, type ModelServer } from "./model";

let counter = 0;
export const newId = (): string => `op-${++counter}`;
export const newValue = (kind: string): string => `${kind}-${++counter}`;
export const text = (typed: string): Input => ({ text: typed });
export const COLUMNS = [1, 2, 3];

export interface Typed {
  row: RowRef;
  column: number;
  value: string;
  /** The newest version of the cell that its writer had on the screen. */
  saw: number;
}

interface Reply {
  id: string;
  outcome: Outcome | Refused;
}

export class Person {
  outbox = new Outbox(newId);
  rows = new Rows();
  typed = new Map<string, Typed>();
  dropped = new Set<string>();
  private version = 0;
  private shown = new Map<string, number>();
  private editor: { row: RowRef; column: number; base: number | null; saw: number } | null = null;
  private wire: Command | null = null;
  private reply: Reply | null = null;
  private old: Reply[] = [];

  constructor(
    readonly name: string,
    private server: ModelServer,
  ) {
    this.read();
  }

  /** Follow the changes, as far as somebody told of them. */
  see(): void {
    for (const changed of this.server.changesSince(this.version)) {
      if (changed.added && !changed.removed) this.rows.put({ id: changed.id, values: changed.values }, this.server.version);
      this.rows.applyChange(changed, this.server.version, this.name, 0);
    }
    this.version = this.server.version;
    this.look();
  }

  open(row: number | string, column: number): void {
    const ref = typeof row === "string" ? (this.outbox.rowOf(row) ?? row) : row;
    // Nothing is typed where no row stands, or a deleted one.
    if (typeof ref === "number" && this.rows.get(ref)?.removed !== false) return;
    const base = this.outbox.baseOf(ref, column, typeof ref === "number" ? this.rows.versionOf(ref, column) : null);
    this.editor = { row: ref, column, base, saw: this.shown.get(cellKey(ref, column)) ?? 0 };
  }

  commit(kind: string): void {
    if (!this.editor) return;
    const { row, column, base, saw } = this.editor;
    this.editor = null;
    const value = newValue(kind);
    this.typed.set(value, { row, column, value, saw });
    this.outbox.put([{ row, column, input: text(value), base }]);
    this.look();
  }

  keepMine(): void {
    for (const issue of this.conflicts()) this.knows(issue);
    this.outbox.keepMine(this.outbox.rejectedEdits());
  }

  sendAgain(): void {
    this.outbox.sendAgain(this.outbox.rejectedEdits().filter((issue) => !issue.conflict));
  }

  drop(): void {
    const [issue] = this.outbox.rejectedEdits();
    if (!issue || issue.column === null || typeof issue.row !== "number") return;
    if ("text" in issue.input) this.dropped.add(issue.input.text);
    if (issue.conflict) this.rows.applySaved(issue.row, issue.column, issue.conflict.theirs, issue.conflict.version);
    this.outbox.drop(issue.row, issue.column);
    this.look();
  }

  send(): void {
    const next = this.outbox.next();
    if (next) this.wire = structuredClone(next);
  }

  deliver(): void {
    if (!this.wire || this.reply) return;
    this.reply = { id: this.wire.id, outcome: this.asked(this.wire) };
  }

  answer(): void {
    if (!this.reply) return;
    this.hear(this.reply);
    this.old.push(this.reply);
    this.wire = this.reply = null;
    this.look();
  }

  /** The answer is lost, or was 503, 429 or 504, or the session had ended: nobody knows what became of the command. */
  lose(): void {
    if (this.wire) this.outbox.sendLater(this.wire.id);
    if (this.reply) this.old.push(this.reply);
    this.wire = this.reply = null;
  }

  repeat(): void {
    // A refusal of the whole request is no answer to the operation, and is heard only by whoever still waits for it.
    const again = this.old.find(({ outcome }) => !(outcome instanceof Refused));
    if (again && again.id !== this.wire?.id) this.hear(again);
    this.look();
  }

  /** The tab is loaded anew: what waits was kept by the browser, what stands in an open editor was not typed yet. */
  reload(): void {
    if (this.reply) this.old.push(this.reply);
    this.wire = this.reply = this.editor = null;
    this.outbox = new Outbox(newId, JSON.parse(JSON.stringify(this.outbox)) as Saved);
    this.read();
  }

  settle(): void {
    for (let i = 0; i < 200 && this.outbox.pendingCount() > 0; i++) {
      this.send();
      this.deliver();
      this.answer();
    }
    this.see();
  }

  conflicts(): RejectedEdit[] {
    return this.outbox.rejectedEdits().filter((issue) => issue.conflict);
  }

  private asked(command: Command): Outcome | Refused {
    try {
      return this.server.apply(command, this.name);
    } catch (error) {
      if (error instanceof Refused) return error;
      throw error;
    }
  }

  private hear({ id, outcome }: Reply): void {
    if (outcome instanceof Refused) {
      this.outbox.refuse(id, "refused", outcome.message);
      return;
    }
    for (const { row, column, value, version } of outcome.saved) this.rows.applySaved(row, column, value, version);
    for (const { row, values } of outcome.added) this.rows.put({ id: row, values }, outcome.version);
    this.outbox.applyOutcome(id, structuredClone(outcome));
  }

  private read(): void {
    this.rows = new Rows();
    this.version = this.server.version;
    for (const [id, cells] of this.server.rows) {
      this.rows.put({ id, values: Object.fromEntries([...cells].map(([c, { value }]) => [c, value])) }, this.version);
    }
    this.look();
  }

  /** A cell shows what is stored, unless something of mine stands in its place; beside a conflict stands theirs. */
  private look(): void {
    // A row that somebody has deleted is on the screen until one is told.
    for (const row of [...this.server.rows.keys(), ...this.server.trash.keys()]) {
      for (const column of COLUMNS) {
        const key = cellKey(row, column);
        const state = this.outbox.cell(row, column);
        const seen = state ? (state.rejected?.conflict?.version ?? 0) : (this.rows.versionOf(row, column) ?? 0);
        this.shown.set(key, Math.max(this.shown.get(key) ?? 0, seen));
      }
    }
  }

  private knows({ input, conflict }: RejectedEdit): void {
    const typed = "text" in input ? this.typed.get(input.text) : undefined;
    if (typed && conflict) typed.saw = Math.max(typed.saw, conflict.version);
  }
}
