// The version that an edit is based on: that of the value its cell showed, which may be the user's own pending value.

import { cellKey, type Edit, type RejectedEdit } from "./commands";

const MAX_SPANS = 5000;

/** The user's own saved edits. Nobody else wrote between the base of such an edit and its version. */
export class OwnEdits {
  private spans = new Map<string, { from: number; to: number }>();

  saved({ row, column, base }: Edit, version: number): void {
    if (base === null || version <= base) return;
    const key = cellKey(row, column);
    const span = this.spans.get(key);
    const from = span && base >= span.from && base <= span.to ? span.from : base;
    this.spans.delete(key);
    this.spans.set(key, { from, to: version });
    if (this.spans.size > MAX_SPANS) this.spans.delete(this.spans.keys().next().value as string);
  }

  /** The server's sheet is older than the user's edit, because a backup was restored. */
  forget(row: Edit["row"], column: number): void {
    this.spans.delete(cellKey(row, column));
  }

  /** The base of an edit whose editor opened while the user's own earlier value was being saved: that value's version. */
  effectiveBase({ row, column, base }: Edit): number | null {
    const span = this.spans.get(cellKey(row, column));
    return span && base !== null && base >= span.from && base < span.to ? span.to : base;
  }
}

/** The base of the pending or rejected value that a cell shows; undefined where it shows the stored value. */
export function shownBase(pending: readonly Edit[], rejected: RejectedEdit | undefined): number | null | undefined {
  const last = pending.at(-1);
  if (last) return last.base;
  return rejected && (rejected.conflict ? rejected.conflict.version : rejected.base);
}

/** The older of two bases: an edit over the user's pending value has not seen newer values of others. */
export function olderBase(base: number | null, shown: number | null | undefined): number | null {
  return base === null || shown === null || shown === undefined ? base : Math.min(base, shown);
}
