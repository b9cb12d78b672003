// Which rows came and went since the order on the screen was made. Answers come late, twice and in any order; only one
// that goes on where the last one ended tells of it, so that nothing is missed and nothing is counted twice.

import type { ChangedRow } from "./types";

/** A row that has no line yet came; one went, and stays in its line struck out; one that went is back in its line. */
export type MembershipChange = "came" | "went" | "back" | null;

export class RowMembership {
  /** New rows of others that have no line, because the view is sorted or filtered. */
  readonly fresh = new Set<number>();
  /** Everything that came and went since the order is known up to this version. */
  upTo = -1;
  private since = -1;
  private removed = new Set<number>();
  private restored = new Set<number>();
  /** Rows that are not there and have no line either. */
  private absent = new Set<number>();
  /** My own deletions, by the version of each: an answer from before them does not know. */
  private ownDeletions = new Map<number, number>();

  /** How many lines hold a row that went. */
  get missing(): number {
    return this.removed.size;
  }

  /** A new order, made at this version, has every row that is there, and no other. */
  reset(version: number): void {
    for (const collection of [this.fresh, this.removed, this.restored, this.absent, this.ownDeletions]) collection.clear();
    this.since = this.upTo = version;
  }

  /** Whether an answer tells what came and went, without a gap behind what is known. */
  covers(since: number, version: number): boolean {
    return this.since <= since && since <= this.upTo && this.upTo < version;
  }

  /** Take note of what became of a row up to `version`; `isBelow`: it has a line below the order. */
  apply({ id, added, removed, restored }: ChangedRow, version: number, isBelow: boolean): MembershipChange {
    if (version < (this.ownDeletions.get(id) ?? 0)) return null;
    const hasLine = isBelow || this.fresh.has(id) || this.removed.has(id) || this.restored.has(id);
    const isNew = this.absent.has(id) || (Boolean(added || restored) && !hasLine);
    if (removed) return this.remove(id, isNew);
    if (this.removed.delete(id)) {
      this.restored.add(id);
      return "back";
    }
    this.absent.delete(id);
    return isNew ? "came" : null;
  }

  /** I deleted this row. */
  removeOwn(id: number, version: number): MembershipChange {
    this.ownDeletions.set(id, version);
    return this.remove(id, this.absent.has(id));
  }

  private remove(id: number, isNew: boolean): MembershipChange {
    this.restored.delete(id);
    if (this.fresh.delete(id) || isNew) {
      this.absent.add(id);
      return null;
    }
    this.removed.add(id);
    return "went";
  }
}
