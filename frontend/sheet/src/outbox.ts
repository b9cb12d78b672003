// The outbox: every user action waits here until the server has answered it. Pure, so that a model server can try it out.

import { lowered, OwnWrites, shownBase } from "./base-versions";
import type { ConflictFact, Outcome, RowRef } from "./types";
import {
  byCell, cellKey, draftIssues, indexed, inParts, type Add, type CellState, type Command, type Draft, type Edit, type Issue,
  type IssueKind, type Saved,
} from "./commands";

const UNEXPLAINED = "The server did not take this row.";

export class Outbox {
  private queue: Command[];
  private issues: Map<string, Issue>;
  private drafts: Map<string, Draft>;
  private made: Map<string, { row: number; version: number }>;
  private own = new OwnWrites();
  /** Recalled from the tab's store. A duplicated tab has them, too, and may send them first. */
  private recalled: ReadonlySet<string>;
  private sending: string | null = null;
  private index: Map<string, CellState> | null = null;
  private queued: Map<string, Edit[]> | null = null;

  constructor(
    private newId: () => string,
    saved?: Saved | null,
  ) {
    this.queue = saved?.queue ?? [];
    this.recalled = new Set(this.queue.map(({ id }) => id));
    this.issues = new Map((saved?.issues ?? []).map((issue) => [cellKey(issue.row, issue.column), issue]));
    this.drafts = new Map(Object.entries(saved?.drafts ?? {}));
    this.made = new Map(Object.entries(saved?.made ?? {}));
  }

  /** What an edit is based on that begins now, in a cell whose stored value, maybe unseen, is of this version. */
  baseOf(row: RowRef, column: number, stored: number | null): number | null {
    return lowered(stored, shownBase(this.later(row, column), this.issues.get(cellKey(row, column))));
  }

  /** Take one user action. Cells typed into a row that is not saved yet join that row. */
  put(edits: Edit[], adds: Add[] = [], deletes: number[] = []): void {
    const command: Command = { id: this.newId(), edits: [], adds: [...adds], deletes };
    const waiting = new Map([...this.queue, command].flatMap((one) => one.adds).map((add) => [add.key, add]));
    for (const edit of edits) this.place(edit, command, waiting);
    if (command.edits.length + command.adds.length + command.deletes.length > 0) this.queue.push(command);
    this.forget();
  }

  /** The command to send now, or null while one is on its way. The same command again after lose(). */
  next(): Command | null {
    const head = this.queue[0];
    if (!head || this.sending !== null) return null;
    this.sending = head.id;
    return head;
  }

  /** Nobody knows whether the command arrived: it stays first and is sent again under the same id. */
  lose(id: string): void {
    if (this.sending === id) this.sending = null;
  }

  /** The server's answer. False for an answer that was had before (a repeated or late one). */
  answer(id: string, outcome: Outcome): boolean {
    const command = this.take(id);
    if (!command) return false;
    const typed = new Map(command.edits.map((edit) => [cellKey(edit.row, edit.column), edit]));
    for (const saved of outcome.saved) this.settle(typed.get(cellKey(saved.row, saved.column)), saved);
    this.settleAdds(outcome);
    for (const refusal of outcome.refused) {
      if (refusal.row != null) this.raise("refused", typed, refusal.row, refusal.column ?? null, refusal.reason);
    }
    for (const conflict of outcome.conflicts) {
      if (conflict.reason) this.own.lost(conflict.row, conflict.column);
      this.raise("conflict", typed, conflict.row, conflict.column, "", conflict);
    }
    for (const gone of outcome.gone) this.raiseGone(command, gone.row ?? null, gone.column ?? null, gone.reason);
    const made = new Map(outcome.added.map(({ key, row }) => [key, row]));
    const isTroubled = new Set([...outcome.refused, ...outcome.gone].map((one) => one.key));
    for (const add of command.adds) {
      if (isTroubled.has(add.key) || !made.has(add.key)) this.settleRefusedAdd(add, outcome, made.get(add.key));
    }
    return true;
  }

  /** The server will never take this command: all that was typed comes back with the reason. */
  refuse(id: string, kind: IssueKind, reason: string): boolean {
    const command = this.take(id);
    if (!command) return false;
    for (const { row, column, input, base } of command.edits) this.keep({ kind, row, column, input, reason, base });
    for (const add of command.adds) this.bounce(add.key, { cells: add.cells, reasons: { "": reason } });
    for (const row of command.deletes) this.keep({ kind, row, column: null, input: { value: null }, reason, base: null });
    return true;
  }

  /** What a cell shows instead of its stored value, if anything waits or was refused there. */
  cell(row: RowRef, column: number): CellState | undefined {
    return this.cells().get(cellKey(row, column));
  }

  /** Rows that the server has not numbered yet, in the order in which they were typed. */
  draftKeys(): string[] {
    const queued = this.queue.flatMap((command) => command.adds.map((add) => add.key));
    return [...new Set([...this.drafts.keys(), ...queued])];
  }

  /** The number that the server gave to a row of ours, once it has. */
  rowOf(key: string): number | undefined {
    return this.made.get(key)?.row;
  }

  attention(): Issue[] {
    const drafts = [...this.drafts].flatMap(([key, draft]) => draftIssues(key, draft));
    return [...this.issues.values(), ...drafts];
  }

  waiting(): number {
    return this.queue.reduce(
      (sum, one) => sum + one.edits.length + one.deletes.length + one.adds.length,
      0,
    );
  }

  get empty(): boolean {
    return this.queue.length + this.issues.size + this.drafts.size === 0;
  }

  /** Forget a refused value (or take theirs after a conflict). */
  drop(row: RowRef, column: number | null): void {
    this.issues.delete(cellKey(row, column));
    if (typeof row === "string") this.drafts.delete(row);
    this.forget();
  }

  /** Forget a new row that the server has not got. False where it is on its way already. */
  dropDraft(key: string): boolean {
    if (this.onItsWay(key)) return false;
    for (const command of this.queue) {
      command.adds = command.adds.filter((add) => add.key !== key);
      command.edits = command.edits.filter((edit) => edit.row !== key);
    }
    this.prune();
    this.drafts.delete(key);
    return true;
  }

  /** After conflicts: write mine over what the others wrote, which I have now seen; as one action. */
  keepMine(issues: readonly Issue[]): void {
    this.sendAgain(issues.filter((issue) => issue.conflict));
  }

  /** Try once more what was not taken: a row or a right may have come back. */
  sendAgain(issues: readonly Issue[]): void {
    const edits = issues.flatMap(({ row, column, input, base, conflict }) =>
      typeof row === "number" && column !== null ? [{ row, column, input, base: conflict?.version ?? base }] : [],
    );
    for (const part of inParts(edits)) this.put(part);
  }

  toJSON(): Saved {
    return {
      queue: this.queue,
      issues: [...this.issues.values()],
      drafts: Object.fromEntries(this.drafts),
      made: Object.fromEntries(this.made),
    };
  }

  private place(edit: Edit, command: Command, waiting: Map<string, Add>): void {
    const made = typeof edit.row === "string" ? this.made.get(edit.row) : undefined;
    if (made) this.issues.delete(cellKey(edit.row, edit.column));
    if (made) this.placeSaved({ ...edit, row: made.row, base: made.version }, command);
    else if (typeof edit.row === "number") this.placeSaved(edit, command);
    else if (this.onItsWay(edit.row)) command.edits.push(edit);
    else this.joinDraft(edit.row, edit, command, waiting);
  }

  private placeSaved(edit: Edit, command: Command): void {
    this.issues.delete(cellKey(edit.row, edit.column));
    command.edits.push({ ...edit, base: this.own.raised(edit) });
  }

  private joinDraft(key: string, edit: Edit, command: Command, waiting: Map<string, Add>): void {
    let add = waiting.get(key);
    if (!add) {
      add = { key, cells: { ...this.drafts.get(key)?.cells } };
      command.adds.push(add);
      waiting.set(key, add);
    }
    add.cells[edit.column] = edit.input;
    this.drafts.delete(key);
  }

  private onItsWay(key: string): boolean {
    // The first command may have arrived even where its answer was lost: it is never changed any more, only repeated.
    const mayHaveArrived = (id: string, place: number): boolean => place === 0 || this.recalled.has(id);
    return this.queue.some(({ id, adds }, place) => mayHaveArrived(id, place) && adds.some((add) => add.key === key));
  }

  private take(id: string): Command | null {
    const head = this.queue[0];
    if (!head || head.id !== id) return null;
    this.queue.shift();
    this.sending = null;
    this.forget();
    return head;
  }

  private later(row: RowRef, column: number | null): Edit[] {
    this.queued ??= byCell(this.queue);
    return this.queued.get(cellKey(row, column)) ?? [];
  }

  /** The queue has changed: what was derived from it is derived anew when it is asked for. */
  private forget(): void {
    this.index = null;
    this.queued = null;
  }

  /** My own earlier edit of this cell is what the later one was typed over: it must not count as somebody else's. */
  private settle(edit: Edit | undefined, { row, column, version }: Outcome["saved"][number]): void {
    this.issues.delete(cellKey(row, column));
    if (edit) this.own.saved(edit, version);
    for (const edit of this.later(row, column)) if (edit.base !== null) edit.base = Math.max(edit.base, version);
  }

  private settleAdds({ added, version }: Outcome): void {
    for (const { key, row } of added) {
      this.made.set(key, { row, version });
      this.drafts.delete(key);
    }
    for (const edit of this.queue.flatMap((one) => one.edits)) {
      const made = typeof edit.row === "string" ? this.made.get(edit.row) : undefined;
      if (made) Object.assign(edit, { row: made.row, base: made.version });
    }
    this.forget();
  }

  private settleRefusedAdd(add: Add, outcome: Outcome, row: number | undefined): void {
    const refusals = outcome.refused.filter((refusal) => refusal.key === add.key);
    if (row !== undefined) {
      for (const { column, reason } of refusals) {
        const input = add.cells[String(column)];
        if (column != null && input) this.keep({ kind: "refused", row, column, input, reason, base: outcome.version });
      }
      return;
    }
    const gone = outcome.gone.find((one) => one.key === add.key);
    const reasons = Object.fromEntries(refusals.map((refusal) => [String(refusal.column ?? ""), refusal.reason]));
    if (refusals.length === 0) reasons[""] = gone?.reason ?? UNEXPLAINED;
    this.bounce(add.key, { cells: add.cells, reasons });
  }

  /** A refused new row takes in what was typed into it meanwhile, and is tried again if there was something. */
  private bounce(key: string, draft: Draft): void {
    const heir = this.queue.find((command) => command.edits.some((edit) => edit.row === key));
    const cells = { ...draft.cells };
    for (const edit of this.queue.flatMap((one) => one.edits)) if (edit.row === key) cells[edit.column] = edit.input;
    for (const command of this.queue) command.edits = command.edits.filter((edit) => edit.row !== key);
    if (heir) heir.adds.push({ key, cells });
    else this.drafts.set(key, { cells, reasons: draft.reasons });
    this.prune();
  }

  private raise(
    kind: IssueKind, typed: Map<string, Edit>, row: number, column: number | null, reason: string, conflict?: ConflictFact,
  ): void {
    const { input = { value: null }, base = null } = typed.get(cellKey(row, column)) ?? {};
    this.keep({ kind, row, column, input, reason, base, ...(conflict && { conflict }) });
  }

  /** A gone row or column may stand for several of the command's cells. */
  private raiseGone(command: Command, row: number | null, column: number | null, reason?: string | null): void {
    const said = reason ?? "This cell is no longer there.";
    const hit = command.edits.filter((e) => (row === null || e.row === row) && (column === null || e.column === column));
    for (const edit of hit) this.keep({ kind: "gone", reason: said, ...edit });
  }

  private keep(issue: Issue): void {
    // What is typed later into the same cell replaces this value anyway.
    if (this.later(issue.row, issue.column).length === 0) this.issues.set(cellKey(issue.row, issue.column), issue);
  }

  private prune(): void {
    this.queue = this.queue.filter((one) => one.edits.length + one.adds.length + one.deletes.length > 0);
    this.forget();
  }

  private cells(): Map<string, CellState> {
    this.index ??= indexed(this.queue, this.issues, this.drafts);
    return this.index;
  }
}
