// State hooks of the grid: its view of the sheet, its layout, its height, the bounds of a cell, the notice.

import type { DataEditorRef } from "@glideapps/glide-data-grid";
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState, useSyncExternalStore, type RefObject } from "react";
import { Problem } from "../../sheet/src/api";
import { openView } from "../../sheet/src/session";
import type { SheetView } from "../../sheet/src/view";
import { functionOf, type WantedTotal } from "../../sheet/src/totals";
import type { GridData, Layout, View } from "../../sheet/src/types";

/** A view of the sheet for this grid. It is closed in useScene, which knows the columns. */
export function useSheetView(data: GridData, refreshPage: () => void): SheetView {
  const refresh = useRef(refreshPage);
  refresh.current = refreshPage;
  const [view] = useState(() => openView(data.sheet, data.me.id, data.link ?? null, () => refresh.current()));
  useSyncExternalStore(view.session.subscribe, view.session.snapshot);
  useEffect(() => {
    // The page is run by a timer and knows the version even where the socket is blocked.
    if (data.version !== null) view.followTo(data.version);
  }, [view, data.version]);
  return view;
}

/** Show the rows of the page's view in the groups of the layout, with the totals of these columns. */
export function useShownRows(view: SheetView, data: GridData, layout: Layout): void {
  const groups = useMemo(() => layout.groups.filter((group) => data.columns.some(({ id }) => id === group.column)), [layout.groups, data.columns]);
  const query = JSON.stringify({ ...data.view, groups });
  useEffect(() => view.show(JSON.parse(query) as View), [view, query]);
  const totals = JSON.stringify(data.columns.flatMap((column) => {
    const name = layout.hidden.includes(column.id) ? null : functionOf(column, layout.totals);
    return name === null ? [] : [{ column: column.id, function: name }];
  }));
  useEffect(() => view.totals.want(JSON.parse(totals) as WantedTotal[]), [view, totals]);
}

const SAVE_DELAY = 600;

/**
 * The layout of a stored view as this user sees it. Their changes are applied at once and saved a moment later: only what
 * they changed, with the version of the view that they changed, so that what others save meanwhile stays. A layout
 * that the page has read anew replaces it: another view was opened, or somebody saved this one for everyone.
 */
export function useLayout(view: SheetView, data: GridData): [Layout, (change: Partial<Layout>) => void] {
  const [layout, setLayout] = useState(data.layout);
  const { current: unsaved } = useRef<UnsavedLayout>({ changes: null, base: null, timer: undefined });
  const stored = data.stored_view ?? null;
  const version = useRef<number | null>(null);
  version.current = data.stored_version ?? null;
  const text = JSON.stringify(data.layout);
  useEffect(() => {
    if (!unsaved.changes) setLayout(JSON.parse(text) as Layout);
  }, [unsaved, stored, text, data.layout_read]);
  const save = useCallback(() => {
    clearTimeout(unsaved.timer);
    const { changes, base } = unsaved;
    if (!changes || stored === null) return;
    void saveLayout(view, stored, { changes, base }).finally(() => {
      if (unsaved.changes === changes) unsaved.changes = null;
    });
  }, [view, stored, unsaved]);
  useEffect(
    () => () => {
      save(); // Another view is opened: what was changed in this one is saved there.
      unsaved.changes = null;
    },
    [save, unsaved],
  );
  const change = useCallback(
    (part: Partial<Layout>) =>
      setLayout((now) => {
        if (!unsaved.changes) unsaved.base = version.current;
        unsaved.changes = { ...unsaved.changes, ...part };
        clearTimeout(unsaved.timer);
        unsaved.timer = setTimeout(save, SAVE_DELAY);
        return { ...now, ...part };
      }),
    [save, unsaved],
  );
  return [layout, change];
}

interface LayoutChanges {
  changes: Partial<Layout> | null;
  /** The version of the view when the first of these changes was made. */
  base: number | null;
}

interface UnsavedLayout extends LayoutChanges {
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** These become changes of the stored view by this user. */
async function saveLayout(view: SheetView, stored: number, body: LayoutChanges): Promise<void> {
  const { api, path } = view.session;
  try {
    await api.request(`${path}/views/${stored}`, { method: "PATCH", body, keepalive: true });
  } catch (error) {
    if (error instanceof Problem) view.failed(error);
  }
}

const PHONE = "(max-width: 600px)";

/** Whether the window has room for cards alone. */
export function useIsPhone(): boolean {
  return useSyncExternalStore(
    (changed) => {
      const query = matchMedia(PHONE);
      query.addEventListener("change", changed);
      return () => query.removeEventListener("change", changed);
    },
    () => matchMedia(PHONE).matches,
  );
}

const MIN_HEIGHT = 320;

/** The fixed height, or that of the window below the grid's upper edge. */
export function useHeight(box: RefObject<HTMLElement | null>, fixed: number | null): number {
  const [height, setHeight] = useState(fixed ?? 560);
  useLayoutEffect(() => {
    const measure = (): void => {
      const top = box.current?.getBoundingClientRect().top ?? 0;
      const scrolled = scroller(box.current)?.scrollTop ?? 0;
      setHeight(Math.max(MIN_HEIGHT, fixed ?? Math.floor(window.innerHeight - top - scrolled - 20)));
    };
    measure();
    const settled = setTimeout(measure, 500);
    window.addEventListener("resize", measure);
    return () => {
      clearTimeout(settled);
      window.removeEventListener("resize", measure);
    };
  }, [box, fixed]);
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

/** The bounds of a cell on the screen, updated while things scroll; the last known ones where it is out of sight. */
export function useBounds(grid: RefObject<DataEditorRef | null>, cell: readonly [number, number] | null, tick: number): Bounds | null {
  const [bounds, setBounds] = useState<Bounds | null>(null);
  const [column, row] = cell ?? [-1, -1];
  useLayoutEffect(() => {
    const measure = (): void => {
      const current = column < 0 ? undefined : grid.current?.getBounds(column, row);
      setBounds((last) => (column < 0 ? null : (current ?? last)));
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

/** A short message below the grid that disappears after a while. */
export function useNotice(): [string, (text: string) => void] {
  const [notice, setNotice] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => setNotice(""), NOTICE_MS);
    return () => clearTimeout(timer);
  }, [notice]);
  return [notice, setNotice];
}
