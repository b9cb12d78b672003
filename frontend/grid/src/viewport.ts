// Which part of the sheet is on the screen, and how to get to another one.

import type { Rectangle } from "@glideapps/glide-data-grid";
import { useCallback, useRef, useState } from "react";
import type { Editing } from "./editors/editor";
import type { Issue } from "./waiting";
import type { Scene } from "./scene";
import { oneCell } from "./selection";

export interface Viewport {
  /** Counts up whenever things move on the screen. */
  tick: number;
  onVisible: (range: Rectangle) => void;
  jump: (cell: Pick<Issue, "row" | "column">) => void;
  /** Where the cell of an open editor stands now; where it stood, if nobody knows. */
  locate: (editing: Editing) => Editing["cell"];
}

export function useViewport({ session, columns, select, setNotice, grid }: Scene): Viewport {
  const { reader } = session;
  const [tick, setTick] = useState(0);
  const seen = useRef({ first: 0, last: 0 });
  const onVisible = useCallback(
    (range: Rectangle) => {
      seen.current = { first: range.y, last: range.y + range.height };
      reader.blocks.look(range.y, Math.min(range.y + range.height, Math.max(reader.lines.ordered - 1, 0)));
      setTick((now) => now + 1);
    },
    [reader],
  );
  const jump = (issue: Pick<Issue, "row" | "column">): void => {
    const column = Math.max(columns.findIndex((one) => one.id === issue.column), 0);
    const row = reader.lines.find(issue.row, seen.current);
    if (row === undefined) {
      setNotice(`Row #${issue.row} is not on the screen: scroll or search to it.`);
      return;
    }
    select(oneCell(column, row));
    grid.current?.scrollTo(column, row, "both", 0, 40);
    // In the next frame: a grid without a selection would go to its first cell.
    requestAnimationFrame(() => grid.current?.focus());
  };
  const locate = ({ row, column, cell }: Editing): Editing["cell"] => {
    const x = columns.findIndex((one) => one.id === column.id);
    const y = reader.lines.find((typeof row === "string" && session.outbox.rowOf(row)) || row, seen.current);
    return [x < 0 ? cell[0] : x, y ?? cell[1]];
  };
  return { tick, onVisible, jump, locate };
}
