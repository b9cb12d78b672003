// The outbox: every user action waits here until the server has answered it. It has no side effects (see tests/model.ts).

import { olderBase, OwnEdits, shownBase } from "./base-versions";
import type { ConflictFact, Outcome, RowRef } from "./types";
import {
  editsByCell, cellKey, rejectedDraftCells, cellStates, splitEdits, type Add, type CellState, type Command, type Draft, type Edit, type RejectedEdit,
  type RejectionKind, type Saved,
} from "./commands";

const NO_REASON = "The server did not save this row.";

export class Outbox {
  private queue: Command[];
  private rejected: Map<string, RejectedEdit>;
  private drafts: Map<string, Draft>;
  private createdRows: Map<string, { row: number; version: number }>;
  private ownEdits = new OwnEdits();
  /** Commands from the tab's storage. A duplicated tab has them too and may send them first. */
  private restoredIds: ReadonlySet<string>;
  private sentId: string | null = null;
  private states: Map<string, CellState> | null = null;
  private pendingByCell: Map<string, Edit[]> | null = null;

  constructor(
    private newId: () => string,
    saved?: Saved | null,
  ) {
    this.queue = saved?.queue ?? [];
    this.restoredIds = new Set(this.queue.map(({ id }) => id));
    this.rejected = new Map((saved?.issues ?? []).map((edit) => [cellKey(edit.row, edit.column), edit]));
    this.drafts = new Map(Object.entries(saved?.drafts ?? {}));
    this.createdRows = new Map(Object.entries(saved?.made ?? {}));
  }

  /** The base of an edit that starts now, in a cell whose stored value has this version. */
  baseOf(row: RowRef, column: number, stored: number | null): number | null {
    return olderBase(stored, shownBase(this.pendingEdits(row, column), this.rejected.get(cellKey(row, column))));
  }

  /** Add one user action. Cells typed into a row that is not saved yet join that row. */
  put(edits: Edit[], adds: Add[] = [], deletes: number[] = []): void {
    const command: Command = { id: this.newId(), edits: [], adds: [...adds], deletes };
    const addsByKey = new Map([...this.queue, command].flatMap((queued) => queued.adds).map((add) => [add.key, add]));
    for (const edit of edits) this.add(edit, command, addsByKey);
    if (command.edits.length + command.adds.length + command.deletes.length > 0) this.queue.push(command);
    this.invalidate();
  }

  /** The command to send now, or null while another one is being sent. After sendLater() it is the unanswered one again. */
  next(): Command | null {
    const head = this.queue[0];
    if (!head || this.sentId !== null) return null;
    this.sentId = head.id;
    return head;
  }

  /** The command may not have arrived: it stays first and is sent again under the same id. */
  sendLater(id: string): void {
    if (this.sentId === id) this.sentId = null;
  }

  /** Apply the server's answer. False for a repeated or late answer. */
  applyOutcome(id: string, outcome: Outcome): boolean {
    const command = this.removeFirst(id);
    if (!command) return false;
    const typed = new Map(command.edits.map((edit) => [cellKey(edit.row, edit.column), edit]));
    for (const saved of outcome.saved) this.applySaved(typed.get(cellKey(saved.row, saved.column)), saved);
    this.applyAdded(outcome);
    for (const refusal of outcome.refused) {
      if (refusal.row != null) this.rejectCell("refused", typed, refusal.row, refusal.column ?? null, refusal.reason);
    }
    for (const conflict of outcome.conflicts) {
      if (conflict.reason) this.ownEdits.forget(conflict.row, conflict.column);
      this.rejectCell("conflict", typed, conflict.row, conflict.column, "", conflict);
    }
    for (const entry of outcome.gone) this.rejectGone(command, entry.row ?? null, entry.column ?? null, entry.reason);
    const rowsByKey = new Map(outcome.added.map(({ key, row }) => [key, row]));
    const failedKeys = new Set([...outcome.refused, ...outcome.gone].map((entry) => entry.key));
    for (const add of command.adds) {
      if (failedKeys.has(add.key) || !rowsByKey.has(add.key)) this.applyRefusedAdd(add, outcome, rowsByKey.get(add.key));
    }
    return true;
  }

  /** The server rejected this command for good: list its edits with the reason. */
  refuse(id: string, kind: RejectionKind, reason: string): boolean {
    const command = this.removeFirst(id);
    if (!command) return false;
    for (const { row, column, input, base } of command.edits) this.addRejected({ kind, row, column, input, reason, base });
    for (const add of command.adds) this.returnDraft(add.key, { cells: add.cells, reasons: { "": reason }, base: add.base });
    for (const row of command.deletes) this.addRejected({ kind, row, column: null, input: { value: null }, reason, base: null });
    return true;
  }

  /** The pending or rejected state that a cell shows instead of its stored value, if it has one. */
  cell(row: RowRef, column: number): CellState | undefined {
    return this.cells().get(cellKey(row, column));
  }

  /** Keys of rows that have no id yet, in the order in which they were typed. */
  draftKeys(): string[] {
    const queued = this.queue.flatMap((command) => command.adds.map((add) => add.key));
    return [...new Set([...this.drafts.keys(), ...queued])];
  }

  /** The id that the server gave to a new row, once it has. */
  rowOf(key: string): number | undefined {
    return this.createdRows.get(key)?.row;
  }

  rejectedEdits(): RejectedEdit[] {
    const drafts = [...this.drafts].flatMap(([key, draft]) => rejectedDraftCells(key, draft));
    return [...this.rejected.values(), ...drafts];
  }

  pendingCount(): number {
    return this.queue.reduce(
      (sum, command) => sum + command.edits.length + command.deletes.length + command.adds.length,
      0,
    );
  }

  get empty(): boolean {
    return this.queue.length + this.rejected.size + this.drafts.size === 0;
  }

  /** Discard a rejected value; after a conflict the other user's value stays. */
  drop(row: RowRef, column: number | null): void {
    this.rejected.delete(cellKey(row, column));
    if (typeof row === "string") this.drafts.delete(row);
    this.invalidate();
  }

  /** Discard a new row. False if it may have been sent already. */
  dropDraft(key: string): boolean {
    if (this.mayBeSent(key)) return false;
    for (const command of this.queue) {
      command.adds = command.adds.filter((add) => add.key !== key);
      command.edits = command.edits.filter((edit) => edit.row !== key);
    }
    this.removeEmpty();
    this.drafts.delete(key);
    return true;
  }

  /** After conflicts: write the user's values over those of others, which the user has now seen, as one action. */
  keepMine(conflicts: readonly RejectedEdit[]): void {
    this.sendAgain(conflicts.filter((edit) => edit.conflict));
  }

  /** Send rejected edits again: a row or a right may have been restored. */
  sendAgain(rejected: readonly RejectedEdit[]): void {
    const edits = rejected.flatMap(({ row, column, input, base, conflict }) =>
      typeof row === "number" && column !== null ? [{ row, column, input, base: conflict?.version ?? base }] : [],
    );
    for (const commandEdits of splitEdits(edits)) this.put(commandEdits);
  }

  toJSON(): Saved {
    return {
      queue: this.queue,
      issues: [...this.rejected.values()],
      drafts: Object.fromEntries(this.drafts),
      made: Object.fromEntries(this.createdRows),
    };
  }

  private add(edit: Edit, command: Command, adds: Map<string, Add>): void {
    const created = typeof edit.row === "string" ? this.createdRows.get(edit.row) : undefined;
    if (created) this.rejected.delete(cellKey(edit.row, edit.column));
    if (created) this.addSaved({ ...edit, row: created.row, base: created.version }, command);
    else if (typeof edit.row === "number") this.addSaved(edit, command);
    else if (this.mayBeSent(edit.row)) command.edits.push(edit);
    else this.addToDraft(edit.row, edit, command, adds);
  }

  private addSaved(edit: Edit, command: Command): void {
    this.rejected.delete(cellKey(edit.row, edit.column));
    command.edits.push({ ...edit, base: this.ownEdits.effectiveBase(edit) });
  }

  private addToDraft(key: string, edit: Edit, command: Command, adds: Map<string, Add>): void {
    let add = adds.get(key);
    if (!add) {
      add = { key, cells: { ...this.drafts.get(key)?.cells } };
      command.adds.push(add);
      adds.set(key, add);
    }
    add.cells[edit.column] = edit.input;
    if (edit.base !== null) add.base = Math.min(edit.base, add.base ?? edit.base);
    this.drafts.delete(key);
  }

  private mayBeSent(key: string): boolean {
    // The first command may have arrived even if its answer was lost: it is never changed, only repeated.
    const isSent = (id: string, index: number): boolean => index === 0 || this.restoredIds.has(id);
    return this.queue.some(({ id, adds }, index) => isSent(id, index) && adds.some((add) => add.key === key));
  }

  private removeFirst(id: string): Command | null {
    const head = this.queue[0];
    if (!head || head.id !== id) return null;
    this.queue.shift();
    this.sentId = null;
    this.invalidate();
    return head;
  }

  private pendingEdits(row: RowRef, column: number | null): Edit[] {
    this.pendingByCell ??= editsByCell(this.queue);
    return this.pendingByCell.get(cellKey(row, column)) ?? [];
  }

  /** The queue has changed: the indexes are built again when they are needed. */
  private invalidate(): void {
    this.states = null;
    this.pendingByCell = null;
  }

  /** A later edit of this cell was typed over the saved value, so its base is at least that version. */
  private applySaved(edit: Edit | undefined, { row, column, version }: Outcome["saved"][number]): void {
    this.rejected.delete(cellKey(row, column));
    if (edit) this.ownEdits.saved(edit, version);
    for (const edit of this.pendingEdits(row, column)) if (edit.base !== null) edit.base = Math.max(edit.base, version);
  }

  private applyAdded({ added, version }: Outcome): void {
    for (const { key, row } of added) {
      this.createdRows.set(key, { row, version });
      this.drafts.delete(key);
    }
    for (const edit of this.queue.flatMap((command) => command.edits)) {
      const created = typeof edit.row === "string" ? this.createdRows.get(edit.row) : undefined;
      if (created) Object.assign(edit, { row: created.row, base: created.version });
    }
    this.invalidate();
  }

  private applyRefusedAdd(add: Add, outcome: Outcome, row: number | undefined): void {
    const refusals = outcome.refused.filter((refusal) => refusal.key === add.key);
    if (row !== undefined) {
      for (const { column, reason } of refusals) {
        const input = add.cells[String(column)];
        if (column != null && input) this.addRejected({ kind: "refused", row, column, input, reason, base: outcome.version });
      }
      return;
    }
    const goneRow = outcome.gone.find((entry) => entry.key === add.key);
    const reasons = Object.fromEntries(refusals.map((refusal) => [String(refusal.column ?? ""), refusal.reason]));
    if (refusals.length === 0) reasons[""] = goneRow?.reason ?? NO_REASON;
    this.returnDraft(add.key, { cells: add.cells, reasons, base: add.base });
  }

  /** Return a rejected new row. Edits made in it since then are merged, and the row is sent again with them. */
  private returnDraft(key: string, draft: Draft): void {
    const laterCommand = this.queue.find((command) => command.edits.some((edit) => edit.row === key));
    const cells = { ...draft.cells };
    for (const edit of this.queue.flatMap((command) => command.edits)) if (edit.row === key) cells[edit.column] = edit.input;
    for (const command of this.queue) command.edits = command.edits.filter((edit) => edit.row !== key);
    if (laterCommand) laterCommand.adds.push({ key, cells, ...(draft.base !== undefined && { base: draft.base }) });
    else this.drafts.set(key, { cells, reasons: draft.reasons });
    this.removeEmpty();
  }

  private rejectCell(
    kind: RejectionKind, typed: Map<string, Edit>, row: number, column: number | null, reason: string, conflict?: ConflictFact,
  ): void {
    const { input = { value: null }, base = null } = typed.get(cellKey(row, column)) ?? {};
    this.addRejected({ kind, row, column, input, reason, base, ...(conflict && { conflict }) });
  }

  /** Reject all edits of the command in a deleted row or column. */
  private rejectGone(command: Command, row: number | null, column: number | null, reason?: string | null): void {
    const message = reason ?? "This cell is no longer there.";
    const edits = command.edits.filter((edit) => (row === null || edit.row === row) && (column === null || edit.column === column));
    for (const edit of edits) this.addRejected({ kind: "gone", reason: message, ...edit });
  }

  private addRejected(edit: RejectedEdit): void {
    // A later edit of the same cell replaces this value anyway.
    if (this.pendingEdits(edit.row, edit.column).length === 0) this.rejected.set(cellKey(edit.row, edit.column), edit);
  }

  private removeEmpty(): void {
    this.queue = this.queue.filter((command) => command.edits.length + command.adds.length + command.deletes.length > 0);
    this.invalidate();
  }

  private cells(): Map<string, CellState> {
    this.states ??= cellStates(this.queue, this.rejected, this.drafts);
    return this.states;
  }
}
