// Shows the other users which cell is selected in this grid.

import { useEffect } from "react";
import { refOn, type Scene } from "./scene";

export function useOwnPresence(scene: Scene): void {
  const { selection, view, session, columns } = scene;
  const cell = selection.current?.cell;
  const ref = cell ? refOn(scene, cell[1]) : null;
  // Other users do not have a row that is not saved yet.
  const row = typeof ref === "number" ? ref : null;
  const column = (cell && columns[cell[0]]?.id) ?? null;
  useEffect(() => session.presence.move(view, row, column), [view, session, row, column]);
}
