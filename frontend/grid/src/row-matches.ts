// What the filter and the colour rules say of the rows on the screen.

import { useEffect } from "react";
import { refOn, type Scene } from "./scene";
import type { Viewport } from "./viewport";
import { isFiltered } from "../../sheet/src/reader";
import type { ColorRule, RowRef } from "../../sheet/src/types";

/** Ask for the rows on the screen; rows that the filter hides leave the grid when the selection leaves them. */
export function useRowMatches(scene: Scene, { visible, tick }: Viewport): void {
  const { view, data, session, selection } = scene;
  const { colors } = scene.layout;
  const { search } = data.view;
  const filter = JSON.stringify(data.view.filter ?? []);
  const rules = JSON.stringify(colors.map((rule) => ({ filter: rule.filter })));
  useEffect(() => {
    const own = { filter: JSON.parse(filter) as ColorRule["filter"], search };
    view.matches.ask(isFiltered(own) || rules !== "[]" ? [own, ...(JSON.parse(rules) as ColorRule[])] : []);
  }, [view, filter, search, rules]);
  useEffect(() => {
    const { lines, rows } = view.reader;
    const { y, height } = visible.current;
    const ids = new Set(lines.refs().filter((ref) => typeof ref === "number"));
    for (let line = y; line <= y + height; line++) {
      const ref = refOn(scene, line);
      if (typeof ref === "number" && rules !== "[]") ids.add(ref);
    }
    view.matches.watch([...ids].map((id) => ({ id, stamp: rows.stampOf(id) })));
  }, [view, session.revision, tick, rules]);
  const line = selection.current?.cell[1];
  useEffect(() => {
    const { lines } = view.reader;
    // On the empty line the next row is typed: the last one stays.
    if (line !== undefined && line >= lines.count) return;
    const ref = line === undefined ? null : refOn(scene, line);
    for (const row of [...lines.refs()]) if (row !== ref && isOutside(scene, row)) view.leave(row);
  }, [line]);
}

/** Whether a new row does not belong to the filtered view. */
export function isOutside({ view }: Scene, ref: RowRef | null): boolean {
  return typeof ref === "number" && view.reader.lines.isBelow(ref) && view.matches.of(ref)?.[0] === false;
}

/** The colour that the rules give to a cell; null if none applies. */
export function ruleColor({ view, layout }: Scene, ref: RowRef | null, column: number): string | null {
  if (typeof ref !== "number" || layout.colors.length === 0) return null;
  const answers = view.matches.of(ref);
  const rule = layout.colors.find((each, index) => answers?.[index + 1] && (each.column === null || each.column === column));
  return rule?.color ?? null;
}
