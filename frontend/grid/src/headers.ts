// Everything that happens on a header: sorting, moving, resizing, hiding, its menu.

import type { DataEditorCoreProps } from "@glideapps/glide-data-grid";
import { useCallback, useMemo, useState } from "react";
import { movedOrder, nextSort } from "./columns";
import { headerEntries, type HeaderActs, type MenuEntry, type MenuPosition } from "./menus";
import type { Scene } from "./scene";
import type { Column } from "../../sheet/src/types";

interface OpenMenu {
  entries: MenuEntry[];
  position: MenuPosition;
  label: string;
}

type Events = Pick<
  DataEditorCoreProps,
  "onHeaderClicked" | "onHeaderMenuClick" | "onHeaderContextMenu" | "onColumnResize" | "onColumnMoved"
>;

export interface Headers {
  events: Events;
  menu: OpenMenu | null;
  closeMenu: () => void;
  hidden: Column[];
  showHidden: (x: number, y: number) => void;
}

export function useHeaders({ data, layout, changeLayout, columns, trigger }: Scene): Headers {
  const [menu, setMenu] = useState<OpenMenu | null>(null);
  const closeMenu = useCallback(() => setMenu(null), []);
  const sort = data.view.sort ?? [];
  const hidden = useMemo(() => data.columns.filter((column) => layout.hidden.includes(column.id)), [data.columns, layout]);
  const acts: HeaderActs = {
    sort: (column, way) => trigger("view", { sort: way ? [{ column: column.id, descending: way === "down" }] : [] }),
    hide: (column) => changeLayout({ hidden: [...layout.hidden, column.id] }),
    settings: (column) => trigger("columns", { column: column.id }),
    addColumn: () => trigger("columns", { add: true }),
  };
  const openMenu = (index: number, position: MenuPosition): void => {
    const column = columns[index];
    if (!column) return;
    const sorting = sort.find((candidate) => candidate.column === column.id);
    const sorted = sorting ? (sorting.descending ? "down" : "up") : null;
    const state = { sorted, isFirst: index === 0, canConfigure: data.can_configure } as const;
    setMenu({ entries: headerEntries(column, state, acts), position, label: column.name });
  };
  const show = (ids: number[]): void => changeLayout({ hidden: layout.hidden.filter((id) => !ids.includes(id)) });
  const showHidden = (x: number, y: number): void => {
    const entries = hidden.map((column) => ({ label: `Show ${column.name}`, act: () => show([column.id]) }));
    const all = { label: "Show all columns", isApart: true, act: () => show(layout.hidden) };
    setMenu({ entries: hidden.length > 1 ? [...entries, all] : entries, position: { x, y: y - 20 }, label: "Hidden columns" });
  };
  const events: Events = {
    onHeaderClicked: (index) => {
      const column = columns[index];
      if (column) trigger("view", { sort: nextSort(column.id, sort) });
    },
    onHeaderMenuClick: (index, { x, y, height }) => openMenu(index, { x, y: y + height }),
    onHeaderContextMenu: (index, event) => {
      event.preventDefault();
      openMenu(index, { x: event.bounds.x + event.localEventX, y: event.bounds.y + event.bounds.height });
    },
    onColumnResize: (column, width) => changeLayout({ widths: { ...layout.widths, [String(column.id)]: Math.round(width) } }),
    onColumnMoved: (from, to) => {
      const [moved, target] = [columns[from], columns[to]];
      if (moved && target && moved !== target) changeLayout({ order: movedOrder(data.columns, layout, moved, target) });
    },
  };
  return { events, menu, closeMenu, hidden, showHidden };
}
