// Which rows came and went since the order on the screen was made. Answers come late, twice and in any order: what an
// older one says of a row is no news.

import type { ChangedRow } from "./types";

/** A row that has no line yet came; one went, and stays in its line struck out; one that went is back in its line. */
export type News = "came" | "went" | "back" | null;

export class Attendance {
  /** New rows of others that have no line, because the view is sorted or filtered. */
  readonly fresh = new Set<number>();
  private gone = new Set<number>();
  private back = new Set<number>();
  /** Up to which version it is known whether a row is there. */
  private told = new Map<number, number>();

  /** How many lines hold a row that went. */
  get missing(): number {
    return this.gone.size;
  }

  /** A new order has every row that is there, and no other. */
  clear(): void {
    for (const kept of [this.fresh, this.gone, this.back, this.told]) kept.clear();
  }

  /** Take note of what became of a row up to `version`; `isBelow`: it has a line below the order. */
  note({ id, added, removed, restored }: ChangedRow, version: number, isBelow: boolean): News {
    if (version < (this.told.get(id) ?? 0)) return null;
    const hasLine = isBelow || this.fresh.has(id) || this.gone.has(id) || this.back.has(id);
    const came = (added || restored) && !hasLine;
    if (came || removed || hasLine) this.told.set(id, version);
    if (removed) return came ? null : this.went(id);
    if (came) return "came";
    return this.gone.delete(id) && this.back.add(id) ? "back" : null;
  }

  /** I deleted this row. */
  leave(id: number, version: number): News {
    return this.note({ id, values: {}, versions: {}, removed: true }, version, false);
  }

  private went(id: number): News {
    this.back.delete(id);
    if (this.fresh.delete(id)) return null;
    this.gone.add(id);
    return "went";
  }
}
