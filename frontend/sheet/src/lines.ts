// The content of each line of the grid: ordered rows, then rows added since, rows not saved yet, and an empty line.

import type { Blocks } from "./blocks";
import type { RowRef } from "./types";

export type Line = { kind: "row"; id: number } | { kind: "draft"; key: string } | { kind: "new" } | { kind: "loading" };

export class Lines {
  /** The number of rows in the order; later ones are below them. */
  ordered = 0;
  private below: RowRef[] = [];
  private positions = new Map<RowRef, number>();

  constructor(private blocks: Blocks) {}

  at(y: number): Line {
    if (y < this.ordered) {
      const id = this.blocks.idAt(y);
      return id === undefined ? { kind: "loading" } : { kind: "row", id };
    }
    const ref = this.below[y - this.ordered];
    if (ref === undefined) return { kind: "new" };
    return typeof ref === "number" ? { kind: "row", id: ref } : { kind: "draft", key: ref };
  }

  /** Rows and drafts, without the empty line at the end. */
  get count(): number {
    return this.ordered + this.below.length;
  }

  /** The number of saved rows below the ordered ones. */
  get savedBelow(): number {
    return this.below.reduce<number>((sum, ref) => sum + (typeof ref === "number" ? 1 : 0), 0);
  }

  refs(): readonly RowRef[] {
    return this.below;
  }

  isBelow(ref: RowRef): boolean {
    return this.positions.has(ref);
  }

  append(ref: RowRef): void {
    if (this.positions.has(ref)) return;
    this.positions.set(ref, this.below.length);
    this.below.push(ref);
  }

  /** A new row got its id: it stays on its line. */
  assignId(key: string, id: number): void {
    const position = this.positions.get(key);
    if (position === undefined) return;
    if (this.positions.has(id)) {
      this.remove(key);
      return;
    }
    this.below[position] = id;
    this.positions.delete(key);
    this.positions.set(id, position);
  }

  remove(ref: RowRef): void {
    if (this.positions.has(ref)) this.setBelow(this.below.filter((other) => other !== ref));
  }

  /** A new order holds every saved row: only rows that are not saved yet stay below. */
  reorder(total: number): void {
    this.ordered = total;
    this.setBelow(this.below.filter((ref) => typeof ref === "string"));
  }

  /** The line of a row, if it is loaded near these lines. */
  find(ref: RowRef, near: { first: number; last: number }): number | undefined {
    const below = this.positions.get(ref);
    if (below !== undefined) return this.ordered + below;
    for (let y = near.first; y <= near.last; y++) if (this.blocks.idAt(y) === ref) return y;
    return undefined;
  }

  private setBelow(below: RowRef[]): void {
    this.below = below;
    this.positions = new Map(below.map((ref, position) => [ref, position]));
  }
}
