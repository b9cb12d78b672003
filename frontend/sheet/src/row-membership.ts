// Which rows came and went since the order on the screen was made. Answers come late, twice and in any order; only one
// that goes on where the last one ended tells of it, so that nothing is missed and nothing is counted twice.

import type { ChangedRow } from "./types";

/** A row that has no line yet came; one went, and stays in its line struck out; one that went is back in its line. */
export type News = "came" | "went" | "back" | null;

export class Attendance {
  /** New rows of others that have no line, because the view is sorted or filtered. */
  readonly fresh = new Set<number>();
  /** Everything that came and went since the order is known up to this version. */
  upTo = -1;
  private since = -1;
  private gone = new Set<number>();
  private back = new Set<number>();
  /** Rows that are not there and have no line either. */
  private none = new Set<number>();
  /** My own deletions, by the version of each: an answer from before them does not know. */
  private mine = new Map<number, number>();

  /** How many lines hold a row that went. */
  get missing(): number {
    return this.gone.size;
  }

  /** A new order, made at this version, has every row that is there, and no other. */
  begin(version: number): void {
    for (const kept of [this.fresh, this.gone, this.back, this.none, this.mine]) kept.clear();
    this.since = this.upTo = version;
  }

  /** Whether an answer tells what came and went, without a gap behind what is known. */
  covers(since: number, version: number): boolean {
    return this.since <= since && since <= this.upTo && this.upTo < version;
  }

  /** Take note of what became of a row up to `version`; `isBelow`: it has a line below the order. */
  note({ id, added, removed, restored }: ChangedRow, version: number, isBelow: boolean): News {
    if (version < (this.mine.get(id) ?? 0)) return null;
    const hasLine = isBelow || this.fresh.has(id) || this.gone.has(id) || this.back.has(id);
    const isNew = this.none.has(id) || (Boolean(added || restored) && !hasLine);
    if (removed) return this.went(id, isNew);
    if (this.gone.delete(id)) {
      this.back.add(id);
      return "back";
    }
    this.none.delete(id);
    return isNew ? "came" : null;
  }

  /** I deleted this row. */
  leave(id: number, version: number): News {
    this.mine.set(id, version);
    return this.went(id, this.none.has(id));
  }

  private went(id: number, isNew: boolean): News {
    this.back.delete(id);
    if (this.fresh.delete(id) || isNew) {
      this.none.add(id);
      return null;
    }
    this.gone.add(id);
    return "went";
  }
}
