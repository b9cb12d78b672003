// Small pieces of state that the grid keeps: its session, its layout, its height, where a cell is on the screen.

import type { DataEditorRef } from "@glideapps/glide-data-grid";
import { useCallback, useEffect, useLayoutEffect, useRef, useState, useSyncExternalStore, type RefObject } from "react";
import { arrive } from "../../sheet/src/rejected-edits";
import { Session } from "../../sheet/src/session";
import type { GridData, Layout } from "../../sheet/src/types";

/** The session of this sheet. */
export function useSession(data: GridData, columnsMoved: () => void): Session {
  const moved = useRef(columnsMoved);
  moved.current = columnsMoved;
  const [session] = useState(() =>
    arrive(`${data.me.id}:${data.sheet}`, () => new Session(data.sheet, data.me.id, () => moved.current(), data.link ?? null)),
  );
  useSyncExternalStore(session.subscribe, session.snapshot);
  const view = JSON.stringify(data.view);
  useEffect(() => session.show(JSON.parse(view) as GridData["view"]), [session, view]);
  useEffect(() => {
    // The page's timed run knows the version even where the socket is blocked.
    if (data.version !== null) session.hear(data.version);
  }, [session, data.version]);
  return session;
}

const SAVE_AFTER = 600;

/** This person's layout: shown at once, remembered by the server a moment later. */
export function useLayout(session: Session, given: Layout): [Layout, (change: Partial<Layout>) => void] {
  const [layout, setLayout] = useState(given);
  const timer = useRef<ReturnType<typeof setTimeout>>();
  const change = useCallback(
    (part: Partial<Layout>) =>
      setLayout((now) => {
        const next = { ...now, ...part };
        clearTimeout(timer.current);
        timer.current = setTimeout(() => session.rememberLayout(next), SAVE_AFTER);
        return next;
      }),
    [session],
  );
  return [layout, change];
}

const LOWEST = 320;

/** The given height, or what is left of the window below the grid's upper edge. */
export function useHeight(box: RefObject<HTMLElement | null>, given: number | null): number {
  const [height, setHeight] = useState(given ?? 560);
  useLayoutEffect(() => {
    const measure = (): void => {
      const top = box.current?.getBoundingClientRect().top ?? 0;
      const scrolled = scroller(box.current)?.scrollTop ?? 0;
      setHeight(Math.max(LOWEST, given ?? Math.floor(window.innerHeight - top - scrolled - 20)));
    };
    measure();
    const settled = setTimeout(measure, 500);
    window.addEventListener("resize", measure);
    return () => {
      clearTimeout(settled);
      window.removeEventListener("resize", measure);
    };
  }, [box, given]);
  return height;
}

function scroller(element: Element | null): Element | null {
  for (let at = element?.parentElement ?? null; at; at = at.parentElement) if (at.scrollTop > 0) return at;
  return null;
}

export interface Bounds {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Where a cell is on the screen, followed while things scroll; the last place where it is out of sight. */
export function useBounds(grid: RefObject<DataEditorRef | null>, cell: readonly [number, number] | null, tick: number): Bounds | null {
  const [bounds, setBounds] = useState<Bounds | null>(null);
  const [column, row] = cell ?? [-1, -1];
  useLayoutEffect(() => {
    const measure = (): void => {
      const found = column < 0 ? undefined : grid.current?.getBounds(column, row);
      setBounds((last) => (column < 0 ? null : (found ?? last)));
    };
    measure();
    window.addEventListener("scroll", measure, true);
    window.addEventListener("resize", measure);
    return () => {
      window.removeEventListener("scroll", measure, true);
      window.removeEventListener("resize", measure);
    };
  }, [grid, column, row, tick]);
  return column < 0 ? null : bounds;
}

const NOTICE_MS = 5000;

/** A short word below the grid that goes away by itself. */
export function useNotice(): [string, (text: string) => void] {
  const [notice, setNotice] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => setNotice(""), NOTICE_MS);
    return () => clearTimeout(timer);
  }, [notice]);
  return [notice, setNotice];
}
