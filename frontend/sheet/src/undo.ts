// Undo and redo of this person's own actions: what the next one would take back, and what came of the last.

import { Problem, type Api } from "./api";
import type { Outcome } from "./types";
import { uuid } from "./uuid";

export type Which = "undo" | "redo";

/** What a button would take back, in words. */
export interface Step {
  said: string;
}

/** A cell or row that was left alone, because somebody else has changed it since. */
export interface Left {
  row: number;
  column: number | null;
  reason: string;
  by: string | null;
  at: string | null;
}

interface Taken {
  version: number;
  said: string;
  left: Left[];
  left_count: number;
  next: Record<Which, Step | null>;
}

interface UndoEvents {
  /** Nothing typed waits to be written any more: an undo comes after it. */
  isIdle: () => boolean;
  taken: (version: number) => void;
  said: (text: string) => void;
  changed: () => void;
}

const FIRST_WAIT = 500;
const LONGEST_WAIT = 2500;

export class Undo {
  next: Record<Which, Step | null> = { undo: null, redo: null };
  /** Being taken back now, or waiting for what was typed before it. */
  pending: Which[] = [];
  left: Left[] = [];
  leftCount = 0;
  private busy = false;
  private ended = false;

  constructor(
    private api: Api,
    private path: string,
    private events: UndoEvents,
  ) {}

  /** Ask what could be taken back: at the start, and when the person comes back from another tab. */
  look = (): void => {
    const asked = this.api.ask<Record<Which, Step | null>>(`${this.path}/undo`);
    asked.then((next) => this.tell(next)).catch(() => undefined);
  };

  press(which: Which): void {
    this.pending.push(which);
    this.events.changed();
    this.wake();
  }

  /** One of this person's actions was written: it is what undo takes back next, and nothing is left to do again. */
  did(outcome: Outcome): void {
    const cells = outcome.saved.filter((cell) => cell.version === outcome.version).length;
    const said = named(outcome.added.length, outcome.deleted.length, cells);
    if (said) this.tell({ undo: { said }, redo: null });
  }

  /** Something changed in the outbox: perhaps it is empty now. */
  wake(): void {
    if (this.busy || this.pending.length === 0 || this.ended || !this.events.isIdle()) return;
    this.busy = true;
    void this.run().finally(() => {
      this.busy = false;
      this.wake();
    });
  }

  forget = (): void => {
    this.left = [];
    this.leftCount = 0;
    this.events.changed();
  };

  end(): void {
    this.ended = true;
  }

  private async run(): Promise<void> {
    const [which] = this.pending;
    if (!which) return;
    try {
      this.took(which, await this.ask(which, uuid()));
    } catch (error) {
      this.pending = [];
      this.events.said(error instanceof Problem ? error.message : String(error));
    }
  }

  /** Asked again with the same id until there is an answer: it is done once. */
  private async ask(which: Which, id: string): Promise<Taken> {
    for (let wait = FIRST_WAIT; ; wait = Math.min(wait * 2, LONGEST_WAIT)) {
      try {
        return await this.api.ask<Taken>(`${this.path}/${which}`, { method: "POST", body: { operation_id: id }, seconds: 60 });
      } catch (error) {
        if (!(error instanceof Problem) || !error.passing || this.ended) throw error;
        await new Promise((resolve) => setTimeout(resolve, error.retryAfter ? error.retryAfter * 1000 : wait));
      }
    }
  }

  private took(which: Which, taken: Taken): void {
    this.pending.shift();
    this.left = taken.left;
    this.leftCount = taken.left_count;
    this.events.said(`${which === "undo" ? "Taken back" : "Done again"}: ${taken.said}${taken.left_count ? ", but not all" : ""}.`);
    this.events.taken(taken.version);
    this.tell(taken.next);
  }

  private tell(next: Record<Which, Step | null>): void {
    const isSame = next.undo?.said === this.next.undo?.said && next.redo?.said === this.next.redo?.said;
    this.next = next;
    if (isSame) return;
    this.events.changed();
  }
}

function named(added: number, deleted: number, cells: number): string | null {
  if (added > 0) return added === 1 ? "New row" : `Adding of ${added.toLocaleString("en")} rows`;
  if (deleted > 0) return deleted === 1 ? "Deletion of a row" : `Deletion of ${deleted.toLocaleString("en")} rows`;
  if (cells > 0) return cells === 1 ? "Change of a cell" : `Change of ${cells.toLocaleString("en")} cells`;
  return null;
}
