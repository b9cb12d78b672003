// The lines of a grouped view: a header above each group, and the rows of the groups that are open.

import type { CellValue, GroupTotals } from "./types";

/** Positions in the order, or lines on the screen: the first and the last. */
export type Span = readonly [first: number, last: number];

export interface GroupHeader {
  /** The same for the same values, also after the rows were ordered again. */
  key: string;
  values: CellValue[];
  /** 0 for an outer group, 1 for a group in it. */
  depth: number;
  rows: number;
  isFolded: boolean;
}

/** A header, or the rows of an innermost group. */
interface Piece {
  line: number;
  lines: number;
  position: number;
  header: GroupHeader | null;
}

export const groupKey = (values: CellValue[]): string => JSON.stringify(values);

export class Grouping {
  private pieces: Piece[] = [];
  /** The number of lines of all headers and rows. */
  readonly lines: number;

  /** `groups` stand in the order of the rows, each outer group before those in it. */
  constructor(groups: readonly GroupTotals[], folded: ReadonlySet<string>) {
    const innermost = Math.max(0, ...groups.map(({ values }) => values.length));
    let [line, position] = [0, 0];
    let folding: string | null = null;
    for (const { values, rows } of groups) {
      const isInner = values.length === innermost;
      const isInFolded = folding !== null && values.length > 1 && groupKey(values.slice(0, -1)) === folding;
      const isFolded = folded.has(groupKey(values));
      if (!isInFolded) {
        if (values.length === 1) folding = isFolded ? groupKey(values) : null;
        this.pieces.push({ line, lines: 1, position, header: { key: groupKey(values), values, depth: values.length - 1, rows, isFolded } });
        line += 1;
        if (isInner && !isFolded) {
          this.pieces.push({ line, lines: rows, position, header: null });
          line += rows;
        }
      }
      if (isInner) position += rows;
    }
    this.lines = line;
  }

  /** The header on this line, or the position in the order of the row on it. */
  at(line: number): GroupHeader | number {
    const piece = this.pieces[this.indexOf(line)];
    return piece?.header ?? (piece ? piece.position + line - piece.line : line);
  }

  /** The positions of the rows on these lines. */
  spans([first, last]: Span): Span[] {
    const spans: Span[] = [];
    for (let index = this.indexOf(first); index < this.pieces.length; index++) {
      const piece = this.pieces[index] as Piece;
      if (piece.line > last) break;
      if (piece.header || piece.lines === 0) continue;
      const [from, to] = [Math.max(first, piece.line), Math.min(last, piece.line + piece.lines - 1)];
      if (to >= from) spans.push([piece.position + from - piece.line, piece.position + to - piece.line]);
    }
    return spans;
  }

  get headers(): GroupHeader[] {
    return this.pieces.flatMap(({ header }) => header ?? []);
  }

  /** The last piece that begins at or before this line. */
  private indexOf(line: number): number {
    let [low, high] = [0, this.pieces.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.pieces[middle] as Piece).line <= line) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
