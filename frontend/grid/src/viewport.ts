// The visible part of the sheet, and scrolling to another one.

import type { Rectangle } from "@glideapps/glide-data-grid";
import { useCallback, useEffect, useRef, useState, type MutableRefObject } from "react";
import type { Editing } from "./editors/editor";
import type { RejectedEdit } from "../../sheet/src/commands";
import type { Scene } from "./scene";
import { oneCell } from "./selection";

/** The lines and columns on the screen; the pinned column is visible too. */
export type VisibleRange = Pick<Rectangle, "x" | "y" | "width" | "height">;

export interface Viewport {
  visible: MutableRefObject<VisibleRange>;
  /** Increases whenever the grid scrolls. */
  tick: number;
  onVisible: (range: Rectangle) => void;
  jump: (cell: Pick<RejectedEdit, "row" | "column">) => void;
  /** The current position of the cell of an open editor; the last one if it is not loaded. */
  locate: (editing: Editing) => Editing["cell"];
}

export function useViewport({ view, session, columns, select, setNotice, grid }: Scene): Viewport {
  const { reader } = view;
  const [tick, setTick] = useState(0);
  const visible = useRef<VisibleRange>({ x: 0, y: 0, width: 0, height: 0 });
  const readVisible = useCallback(() => {
    const { y, height } = visible.current;
    const spans = reader.lines.spans(y, y + height);
    reader.blocks.setVisible(spans.length > 0 ? spans : FIRST_ROW);
  }, [reader]);
  const onVisible = useCallback(
    (range: Rectangle) => {
      visible.current = range;
      readVisible();
      setTick((now) => now + 1);
    },
    [readVisible],
  );
  // A group was folded or opened: other rows are on the same lines.
  useEffect(readVisible, [readVisible, reader.lines.count]);
  const jump = (target: Pick<RejectedEdit, "row" | "column">): void => {
    const column = Math.max(columns.findIndex((candidate) => candidate.id === target.column), 0);
    const row = reader.lines.find(target.row, linesOf(visible.current));
    if (row === undefined) {
      setNotice(`Row #${target.row} is not on the screen: scroll or search to it.`);
      return;
    }
    select(oneCell(column, row));
    grid.current?.scrollTo(column, row, "both", 0, 40);
    // In the next frame: a grid without a selection would go to its first cell.
    requestAnimationFrame(() => grid.current?.focus());
  };
  const locate = ({ row, column, cell }: Editing): Editing["cell"] => {
    const x = columns.findIndex((candidate) => candidate.id === column.id);
    const y = reader.lines.find((typeof row === "string" && session.outbox.rowOf(row)) || row, linesOf(visible.current));
    return [x < 0 ? cell[0] : x, y ?? cell[1]];
  };
  return { visible, tick, onVisible, jump, locate };
}

const FIRST_ROW = [[0, 0]] as const;

const linesOf = ({ y, height }: VisibleRange): { first: number; last: number } => ({ first: y, last: y + height });
