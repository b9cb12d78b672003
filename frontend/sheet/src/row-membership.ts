// Which rows were added and removed since the order on the screen was made. Answers arrive late, twice and in any order; only
// an answer that continues the last one is used, so that nothing is missed and nothing is counted twice.

import type { ChangedRow } from "./types";

/** "came": added, without a line yet; "went": removed, struck out on its line; "back": restored on its line. */
export type MembershipChange = "came" | "went" | "back" | null;

export class RowMembership {
  /** New rows of others that have no line, because the view is sorted or filtered. */
  readonly fresh = new Set<number>();
  /** Added and removed rows are known up to this version. */
  upTo = -1;
  private since = -1;
  private removed = new Set<number>();
  private restored = new Set<number>();
  /** Removed rows without a line. */
  private absent = new Set<number>();
  /** The versions of this user's deletions: older answers do not include them. */
  private ownDeletions = new Map<number, number>();

  /** The number of lines with a removed row. */
  get missing(): number {
    return this.removed.size;
  }

  /** Start again with a new order, which has exactly the rows of this version. */
  reset(version: number): void {
    for (const collection of [this.fresh, this.removed, this.restored, this.absent, this.ownDeletions]) collection.clear();
    this.since = this.upTo = version;
  }

  /** Whether an answer continues the known changes without a gap. */
  covers(since: number, version: number): boolean {
    return this.since <= since && since <= this.upTo && this.upTo < version;
  }

  /** Apply the change of a row up to `version`; `isBelow`: it has a line below the order. */
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

  /** This user deleted a row. */
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
