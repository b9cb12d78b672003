// Undo and redo of this user's own actions: the next step of each, and the result of the last.

import { Problem, type Api } from "./api";
import type { Outcome } from "./types";
import { uuid } from "./uuid";

export type Direction = "undo" | "redo";

/** The action that a button would undo or redo, in words. */
export interface Step {
  said: string;
}

/** A cell or row that was skipped, because another user has changed it since. */
export interface SkippedChange {
  row: number;
  column: number | null;
  reason: string;
  by: string | null;
  at: string | null;
}

interface UndoResult {
  version: number;
  said: string;
  left: SkippedChange[];
  left_count: number;
  next: Record<Direction, Step | null>;
}

interface UndoEvents {
  /** No edit is pending: an undo is sent after all earlier edits. */
  isIdle: () => boolean;
  written: (version: number) => void;
  message: (text: string) => void;
  changed: () => void;
}

const FIRST_WAIT = 500;
const MAX_WAIT = 2500;

export class Undo {
  next: Record<Direction, Step | null> = { undo: null, redo: null };
  /** Steps that are being applied or wait for earlier edits. */
  pending: Direction[] = [];
  skipped: SkippedChange[] = [];
  skippedCount = 0;
  private busy = false;
  private ended = false;

  constructor(
    private api: Api,
    private path: string,
    private events: UndoEvents,
  ) {}

  /** Read the next steps: at the start, and when the user returns from another tab. */
  refresh = (): void => {
    const response = this.api.request<Record<Direction, Step | null>>(`${this.path}/undo`);
    response.then((next) => this.setNext(next)).catch(() => undefined);
  };

  press(direction: Direction): void {
    this.pending.push(direction);
    this.events.changed();
    this.wake();
  }

  /** An action of this user was written: undo takes it back next, and there is nothing to redo. */
  recordEdit(outcome: Outcome): void {
    const cells = outcome.saved.filter((cell) => cell.version === outcome.version).length;
    const label = actionLabel(outcome.added.length, outcome.deleted.length, cells);
    if (label) this.setNext({ undo: { said: label }, redo: null });
  }

  /** The outbox has changed and may be empty now. */
  wake(): void {
    if (this.busy || this.pending.length === 0 || this.ended || !this.events.isIdle()) return;
    this.busy = true;
    void this.run().finally(() => {
      this.busy = false;
      this.wake();
    });
  }

  dismissSkipped = (): void => {
    this.skipped = [];
    this.skippedCount = 0;
    this.events.changed();
  };

  end(): void {
    this.ended = true;
  }

  private async run(): Promise<void> {
    const [direction] = this.pending;
    if (!direction) return;
    try {
      this.applyResult(direction, await this.send(direction, uuid()));
    } catch (error) {
      this.pending = [];
      this.events.message(error instanceof Problem ? error.message : String(error));
    }
  }

  /** Send until there is an answer, with one id, so that it is applied once. */
  private async send(direction: Direction, id: string): Promise<UndoResult> {
    for (let wait = FIRST_WAIT; ; wait = Math.min(wait * 2, MAX_WAIT)) {
      try {
        return await this.api.request<UndoResult>(`${this.path}/${direction}`, { method: "POST", body: { operation_id: id }, seconds: 60 });
      } catch (error) {
        if (!(error instanceof Problem) || !error.isTemporary || this.ended) throw error;
        await new Promise((resolve) => setTimeout(resolve, error.retryAfter ? error.retryAfter * 1000 : wait));
      }
    }
  }

  private applyResult(direction: Direction, result: UndoResult): void {
    this.pending.shift();
    this.skipped = result.left;
    this.skippedCount = result.left_count;
    this.events.message(`${direction === "undo" ? "Undone" : "Redone"}: ${result.said}${result.left_count ? ", but not all" : ""}.`);
    this.events.written(result.version);
    this.setNext(result.next);
  }

  private setNext(next: Record<Direction, Step | null>): void {
    const isSame = next.undo?.said === this.next.undo?.said && next.redo?.said === this.next.redo?.said;
    this.next = next;
    if (isSame) return;
    this.events.changed();
  }
}

function actionLabel(added: number, deleted: number, cells: number): string | null {
  if (added > 0) return added === 1 ? "New row" : `Adding of ${added.toLocaleString("en")} rows`;
  if (deleted > 0) return deleted === 1 ? "Deletion of a row" : `Deletion of ${deleted.toLocaleString("en")} rows`;
  if (cells > 0) return cells === 1 ? "Change of a cell" : `Change of ${cells.toLocaleString("en")} cells`;
  return null;
}
