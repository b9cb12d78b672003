// Tells others in which cell I am, as the selection moves.

import { useEffect } from "react";
import { refOn, type Scene } from "./scene";

export function useMyPlace(scene: Scene): void {
  const { selection, session, columns } = scene;
  const cell = selection.current?.cell;
  const ref = cell ? refOn(scene, cell[1]) : null;
  // A row that has no number yet is nowhere for others.
  const row = typeof ref === "number" ? ref : null;
  const column = (cell && columns[cell[0]]?.id) ?? null;
  useEffect(() => session.presence.move(row, column), [session, row, column]);
}
