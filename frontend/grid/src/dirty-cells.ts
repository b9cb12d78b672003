// Redraws the cells that have changed; Glide itself redraws after changes of columns, lines and the selection.

import { useCallback, useEffect, useLayoutEffect, useRef, useState, type MutableRefObject } from "react";
import { HIGHLIGHT_MS, type Highlight } from "../../sheet/src/rows";
import { isOutside, ruleColor } from "./row-matches";
import { refOn, type Scene } from "./scene";
import type { VisibleRange, Viewport } from "./viewport";

/** Delay (ms) before the table for screen readers is written, which Glide writes as a whole. */
const TABLE_MS = 300;
/** Highlights fade in steps (ms), all cells together, because the browser paints the whole page each time. */
const FADE_MS = 400;

/** All that a cell's look depends on, except what redraws the whole canvas. */
export type Fingerprint = readonly unknown[];
const [HIGHLIGHT, TINT] = [0, 1];
type CellPosition = readonly [number, number];
type Timer = MutableRefObject<ReturnType<typeof setTimeout> | undefined>;

export interface Redraws {
  /** Increases when the whole canvas must be drawn. */
  canvas: number;
  /** Increases when the table for screen readers must be written. */
  table: number;
}

/** Draw the cells that changed with this revision, and count the other redraws. */
export function useDirtyCells(scene: Scene, { visible, tick }: Viewport): Redraws {
  const [redraws, setRedraws] = useState<Redraws>({ canvas: 0, table: 0 });
  const [now, drawn, table, fading]: [MutableRefObject<Scene>, MutableRefObject<Map<string, Fingerprint>>, Timer, Timer] =
    [useRef(scene), useRef(new Map()), useRef(), useRef()];
  now.current = scene;
  const fadeLater = useCallback(() => later(fading, FADE_MS - (performance.now() % FADE_MS), draw), []);
  const draw = useCallback((): boolean => {
    const [before, after] = [drawn.current, fingerprintsOf(now.current, visible.current)];
    drawn.current = after;
    const changed = changedCells(before, after);
    // A tint also lies under the lines around its cell and does not cover the old one: the whole canvas is drawn.
    const isTinted = changed.some((cell) => [before, after].some((fingerprints) => fingerprints.get(cell.join(":"))?.[TINT]));
    if (isTinted) setRedraws(({ canvas, table }) => ({ canvas: canvas + 1, table }));
    else if (changed.length > 0) now.current.grid.current?.updateCells(changed.map((cell) => ({ cell })));
    if ([...after.values()].some((fingerprint) => fingerprint[HIGHLIGHT])) fadeLater();
    return changed.length > 0;
  }, []);
  useLayoutEffect(() => {
    if (draw()) later(table, TABLE_MS, () => setRedraws(({ canvas, table }) => ({ canvas, table: table + 1 })));
  }, [scene.session.revision]);
  // Highlighted cells may have become visible.
  useEffect(fadeLater, [tick]);
  useEffect(() => () => [table, fading].forEach(({ current }) => clearTimeout(current)), []);
  return redraws;
}

/** Act once after the wait, even if called several times until then. */
function later(timer: Timer, wait: number, act: () => void): void {
  timer.current ??= setTimeout(() => {
    timer.current = undefined;
    act();
  }, wait);
}

/** The cells on the screen, including the pinned column. */
function fingerprintsOf(scene: Scene, { x, y, width, height }: VisibleRange): Map<string, Fingerprint> {
  const fingerprints = new Map<string, Fingerprint>();
  const ids = scene.columns.map(({ id }) => id);
  const visible = [...ids.keys()].filter((column) => column === 0 || (column >= x && column <= x + width));
  for (let line = y; line <= y + height; line++) {
    for (const column of visible) fingerprints.set(`${column}:${line}`, fingerprintOf(scene, line, ids[column] ?? 0));
  }
  return fingerprints;
}

function fingerprintOf(scene: Scene, line: number, column: number): Fingerprint {
  const { view: { reader, totals }, session: { outbox, presence } } = scene;
  const content = reader.lines.at(line);
  if (content.kind === "group") {
    const { key, isFolded, rows } = content.group;
    return [null, null, key, isFolded, rows, totals.group(key)];
  }
  const ref = refOn(scene, line);
  const stored = typeof ref === "number" ? reader.rows.get(ref) : undefined;
  const state = ref === null ? undefined : outbox.cell(ref, column);
  const others = typeof ref === "number" ? presence.at(ref, column).join() : "";
  const kind = ref ?? content.kind;
  const tint = (state?.rejected && state.state) ?? (isOutside(scene, ref) ? "outside" : ruleColor(scene, ref, column)) ?? undefined;
  return [stepOf(stored?.highlights[column]), tint, kind, stored?.values[column], stored?.removed, state?.state, state?.input, others];
}

/** The step of a fading highlight; null once it is over. */
function stepOf(highlight: Highlight | undefined): string | null {
  const age = highlight ? performance.now() - highlight.since : HIGHLIGHT_MS;
  return highlight && age < HIGHLIGHT_MS ? `${highlight.since}:${Math.floor(age / FADE_MS)}` : null;
}

/** The cells that look different from before. */
export function changedCells(before: ReadonlyMap<string, Fingerprint>, now: ReadonlyMap<string, Fingerprint>): CellPosition[] {
  const isSame = (first: Fingerprint, second: Fingerprint | undefined): boolean => first.every((value, index) => value === second?.[index]);
  const changed = [...now].filter(([cell, fingerprint]) => !before.has(cell) || !isSame(fingerprint, before.get(cell)));
  return changed.map(([cell]) => cell.split(":").map(Number) as unknown as CellPosition);
}
