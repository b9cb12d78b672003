// The content of each line of the grid: ordered rows under the headers of their groups, then rows added since, rows not
// saved yet, and an empty line.

import type { Blocks } from "./blocks";
import { Grouping, type GroupHeader, type Span } from "./grouping";
import type { GroupTotals, RowRef } from "./types";

export type Line =
  | { kind: "row"; id: number } | { kind: "draft"; key: string } | { kind: "new" } | { kind: "loading" } | { kind: "group"; group: GroupHeader };

export class Lines {
  /** The number of rows in the order; later ones are below them. */
  ordered = 0;
  private changes = 0;
  private below: RowRef[] = [];
  private positions = new Map<RowRef, number>();
  private groups: readonly GroupTotals[] = [];
  private folded = new Set<string>();
  private grouping: Grouping | null = null;

  constructor(private blocks: Blocks) {}

  at(y: number): Line {
    if (y < this.orderedLines) {
      const place = this.grouping?.at(y) ?? y;
      if (typeof place !== "number") return { kind: "group", group: place };
      const id = this.blocks.idAt(place);
      return id === undefined ? { kind: "loading" } : { kind: "row", id };
    }
    const ref = this.below[y - this.orderedLines];
    if (ref === undefined) return { kind: "new" };
    return typeof ref === "number" ? { kind: "row", id: ref } : { kind: "draft", key: ref };
  }

  /** Another number whenever rows may be on other lines than before. */
  get moves(): number {
    return this.changes + this.blocks.moves;
  }

  /** Rows, drafts and headers, without the empty line at the end. */
  get count(): number {
    return this.orderedLines + this.below.length;
  }

  /** The number of saved rows below the ordered ones. */
  get savedBelow(): number {
    return this.below.reduce<number>((sum, ref) => sum + (typeof ref === "number" ? 1 : 0), 0);
  }

  /** The positions in the order of the rows on these lines. */
  spans(first: number, last: number): Span[] {
    const end = Math.min(last, this.orderedLines - 1);
    if (end < first) return [];
    return this.grouping?.spans([first, end]) ?? [[first, end]];
  }

  get headers(): GroupHeader[] {
    return this.grouping?.headers ?? [];
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

  /** A new order holds every saved row, in these groups: only rows that are not saved yet stay below. */
  reorder(total: number, groups: readonly GroupTotals[] = []): void {
    this.ordered = total;
    this.groups = groups;
    this.regroup();
    this.setBelow(this.below.filter((ref) => typeof ref === "string"));
  }

  /** Fold these groups, or open them. */
  fold(keys: readonly string[], isFolded: boolean): void {
    for (const key of keys) {
      if (isFolded) this.folded.add(key);
      else this.folded.delete(key);
    }
    this.regroup();
  }

  /** The line of a row, if it is loaded near these lines. */
  find(ref: RowRef, near: { first: number; last: number }): number | undefined {
    const below = this.positions.get(ref);
    if (below !== undefined) return this.orderedLines + below;
    for (let y = near.first; y <= near.last; y++) {
      const line = this.at(y);
      if (line.kind === "row" && line.id === ref) return y;
    }
    return undefined;
  }

  private get orderedLines(): number {
    return this.grouping?.lines ?? this.ordered;
  }

  private regroup(): void {
    this.changes += 1;
    this.grouping = this.groups.length > 0 ? new Grouping(this.groups, this.folded) : null;
  }

  private setBelow(below: RowRef[]): void {
    this.changes += 1;
    this.below = below;
    this.positions = new Map(below.map((ref, position) => [ref, position]));
  }
}
