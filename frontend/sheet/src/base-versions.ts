// What an edit is based on: what its cell showed when it was typed, which may have been a value of my own.

import { cellKey, type Edit, type RejectedEdit } from "./commands";

const MAX_SPANS = 5000;

/** My own saved edits. Nobody else wrote between the base of one and its version, so both are the same screen. */
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

  /** The server's sheet is older than what I have written: a backup was restored, and that is gone. */
  forget(row: Edit["row"], column: number): void {
    this.spans.delete(cellKey(row, column));
  }

  /** The base that an edit really has: an editor that opened before my own value was saved has seen that value. */
  effectiveBase({ row, column, base }: Edit): number | null {
    const span = this.spans.get(cellKey(row, column));
    return span && base !== null && base >= span.from && base < span.to ? span.to : base;
  }
}

/** The base of what stands in a cell instead of its stored value; undefined where the stored value is to be seen. */
export function shownBase(pending: readonly Edit[], rejected: RejectedEdit | undefined): number | null | undefined {
  const last = pending.at(-1);
  if (last) return last.base;
  return rejected && (rejected.conflict ? rejected.conflict.version : rejected.base);
}

/** Typed over a value of mine, with somebody else's behind it unseen: no newer than what mine was typed over. */
export function olderBase(base: number | null, shown: number | null | undefined): number | null {
  return base === null || shown === null || shown === undefined ? base : Math.min(base, shown);
}
