// Draws anew the cells that have changed, and no others: what stands around them (columns, lines, selection) Glide sees.

import { useCallback, useEffect, useLayoutEffect, useRef, useState, type MutableRefObject } from "react";
import { GLOW_MS, type Glow } from "../../sheet/src/rows";
import { refOn, type Scene } from "./scene";
import type { Seen, Viewport } from "./viewport";

/** Screen readers have a table of the cells, which Glide writes whole: not with every cell, but so soon after the first. */
const TABLE_MS = 300;
/** What glows fades in steps, all cells at the same moments: each is a picture of the whole page to the browser. */
const FADE_MS = 400;

/** All that the look of a cell is made of, besides what the whole canvas is drawn anew for. */
export type Spot = readonly unknown[];
const [STEP, TINT] = [0, 1];
type Place = readonly [number, number];
type Timer = MutableRefObject<ReturnType<typeof setTimeout> | undefined>;

export interface Anew {
  /** Counts up when the whole canvas is to be drawn. */
  canvas: number;
  /** Counts up when the table for screen readers is to be written. */
  table: number;
}

/** Draws what changed with this revision, and says what else is to be made anew. */
export function useDamage(scene: Scene, { seen, tick }: Viewport): Anew {
  const [anew, setAnew] = useState<Anew>({ canvas: 0, table: 0 });
  const [now, drawn, table, fading]: [MutableRefObject<Scene>, MutableRefObject<Map<string, Spot>>, Timer, Timer] =
    [useRef(scene), useRef(new Map()), useRef(), useRef()];
  now.current = scene;
  const fadeLater = useCallback(() => later(fading, FADE_MS - (performance.now() % FADE_MS), draw), []);
  const draw = useCallback((): boolean => {
    const [before, after] = [drawn.current, spots(now.current, seen.current)];
    drawn.current = after;
    const changed = damaged(before, after);
    // A tint lies under the lines around its cell, too, and does not cover what stood there: it is drawn with everything.
    const isTinted = changed.some((place) => [before, after].some((spots) => spots.get(place.join(":"))?.[TINT]));
    if (isTinted) setAnew(({ canvas, table }) => ({ canvas: canvas + 1, table }));
    else if (changed.length > 0) now.current.grid.current?.updateCells(changed.map((cell) => ({ cell })));
    if ([...after.values()].some((one) => one[STEP])) fadeLater();
    return changed.length > 0;
  }, []);
  useLayoutEffect(() => {
    if (draw()) later(table, TABLE_MS, () => setAnew(({ canvas, table }) => ({ canvas, table: table + 1 })));
  }, [scene.session.revision]);
  // What glows may have come into sight.
  useEffect(fadeLater, [tick]);
  useEffect(() => () => [table, fading].forEach(({ current }) => clearTimeout(current)), []);
  return anew;
}

/** Once, however often it is asked for meanwhile. */
function later(timer: Timer, wait: number, act: () => void): void {
  timer.current ??= setTimeout(() => {
    timer.current = undefined;
    act();
  }, wait);
}

/** The cells on the screen, those of the pinned column among them. */
function spots(scene: Scene, { x, y, width, height }: Seen): Map<string, Spot> {
  const found = new Map<string, Spot>();
  const ids = scene.columns.map(({ id }) => id);
  const shown = [...ids.keys()].filter((column) => column === 0 || (column >= x && column <= x + width));
  for (let line = y; line <= y + height; line++) {
    for (const column of shown) found.set(`${column}:${line}`, spot(scene, line, ids[column] ?? 0));
  }
  return found;
}

function spot(scene: Scene, line: number, column: number): Spot {
  const { view: { reader }, session: { outbox, presence } } = scene;
  const ref = refOn(scene, line);
  const stored = typeof ref === "number" ? reader.rows.get(ref) : undefined;
  const state = ref === null ? undefined : outbox.cell(ref, column);
  const others = typeof ref === "number" ? presence.at(ref, column).join() : "";
  const kind = ref ?? reader.lines.at(line).kind;
  const tint = state?.issue && state.state;
  return [stepOf(stored?.glow[column]), tint, kind, stored?.values[column], stored?.removed, state?.state, state?.input, others];
}

/** How far a glow has faded; nothing once it is over. */
function stepOf(glow: Glow | undefined): string | null {
  const age = glow ? performance.now() - glow.since : GLOW_MS;
  return glow && age < GLOW_MS ? `${glow.since}:${Math.floor(age / FADE_MS)}` : null;
}

/** Where something else is to be seen than before. */
export function damaged(before: ReadonlyMap<string, Spot>, now: ReadonlyMap<string, Spot>): Place[] {
  const isSame = (one: Spot, other: Spot | undefined): boolean => one.every((part, index) => part === other?.[index]);
  const changed = [...now].filter(([place, one]) => !before.has(place) || !isSame(one, before.get(place)));
  return changed.map(([place]) => place.split(":").map(Number) as unknown as Place);
}
