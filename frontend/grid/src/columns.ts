// The sheet's columns as the grid draws them: in this user's order and widths, with an icon for the type.

import type { GridColumn, SpriteMap } from "@glideapps/glide-data-grid";
import type { Column, Layout, Sort } from "../../sheet/src/types";

/** A placeholder for a missing column while the sheet changes. */
export const NO_COLUMN: Column = {
  id: 0, name: "", type: "", rules: {}, options: [],
  form: "string", ids_of: null, scheme: "", is_multiline: false, icon: "title", width: 0,
};

/** The visible columns in this user's order. The first one is pinned. */
export function visibleColumns(columns: Column[], layout: Layout): Column[] {
  const position = new Map(layout.order.map((id, index) => [id, index]));
  const ordered = columns
    .map((column, index) => ({ column, order: position.get(column.id) ?? layout.order.length + index }))
    .sort((a, b) => a.order - b.order)
    .map(({ column }) => column);
  return ordered.filter((column) => !layout.hidden.includes(column.id));
}

/** The number of columns that stay in place: on a phone one, and never all of them. */
export function frozenCount({ frozen }: Layout, columns: Column[]): number {
  const most = window.innerWidth < NARROW ? 1 : columns.length - 1;
  return Math.max(0, Math.min(frozen, most));
}

/** On a phone the pinned column leaves room for the others. */
const NARROW = 640;
const PINNED_SHARE = 0.38;
/** The first column names the row. */
const FIRST_WIDTH = 180;

export function gridColumns(columns: Column[], layout: Layout, sort: Sort[], room: number): GridColumn[] {
  const widest = room < NARROW ? Math.round(room * PINNED_SHARE) : Infinity;
  return columns.map((column, index) => ({
    id: String(column.id),
    title: column.name + arrow(column, sort),
    icon: column.icon in ICONS ? column.icon : "title",
    width: Math.min(layout.widths[column.id] ?? Math.max(column.width, index === 0 ? FIRST_WIDTH : 0), index === 0 ? widest : Infinity),
    hasMenu: true,
  }));
}

function arrow(column: Column, sort: Sort[]): string {
  const sorting = sort.find((candidate) => candidate.column === column.id);
  return sorting ? (sorting.descending ? "  ↓" : "  ↑") : "";
}

/** The sorting after a click on a header: ascending, descending, none. */
export function nextSort(column: number, sort: Sort[]): Sort[] {
  const current = sort.length === 1 && sort[0]?.column === column ? sort[0] : undefined;
  if (!current) return [{ column, descending: false }];
  return current.descending ? [] : [{ column, descending: true }];
}

/** The order with one column moved; hidden columns keep their position. */
export function movedOrder(all: Column[], layout: Layout, from: Column, to: Column): number[] {
  const order = visibleColumns(all, { ...layout, hidden: [] }).map((column) => column.id);
  const target = order.indexOf(to.id);
  const rest = order.filter((id) => id !== from.id);
  rest.splice(target, 0, from.id);
  return rest;
}

const ICONS: Record<string, string> = {
  title: '<path d="M4 5h12M10 5v11"/>',
  notes: '<path d="M3 5h14M3 9h14M3 13h9"/>',
  "123": '<path d="M7 3 5.5 17M14.500 3 13 17M3 7.500h14.500M2.500 12.500H17"/>',
  payments: '<circle cx="10" cy="10" r="7"/><path d="M12.500 7.500c-2-1.500-5-.5-4.500 1.300.4 1.500 4.200.9 4.400 2.600.2 1.800-3 2.400-5 .9M10 5v10"/>',
  percent: '<path d="M15 5 5 15"/><circle cx="6" cy="6" r="2"/><circle cx="14" cy="14" r="2"/>',
  arrow_drop_down_circle: '<circle cx="10" cy="10" r="7"/><path d="m7.500 9 2.500 2.600L12.500 9"/>',
  hub: '<circle cx="10" cy="10" r="2.500"/><circle cx="4" cy="5" r="1.500"/><circle cx="16" cy="5" r="1.500"/><circle cx="10" cy="17" r="1.500"/><path d="m5.200 6 3 2.300M14.800 6l-3 2.300M10 12.500v3"/>',
  checklist: '<path d="m3 5.500 1.500 1.500L7 4.500M3 12.500 4.500 14 7 11.500M10 6h7M10 13h7"/>',
  event: '<rect x="3" y="4.500" width="14" height="12" rx="2"/><path d="M3 8.500h14M7 3v3M13 3v3"/>',
  schedule: '<circle cx="10" cy="10" r="7"/><path d="M10 6v4.200l2.800 1.800"/>',
  check_box: '<rect x="3.500" y="3.500" width="13" height="13" rx="2.500"/><path d="m7 10 2.200 2.200L13.200 8"/>',
  link: '<path d="M8.500 11.500a3 3 0 0 0 4.300 0l2.600-2.600a3 3 0 0 0-4.300-4.300l-1 1M11.500 8.500a3 3 0 0 0-4.300 0l-2.600 2.600a3 3 0 0 0 4.300 4.300l1-1"/>',
  mail: '<rect x="2.500" y="4.500" width="15" height="11" rx="2"/><path d="m3 6 7 5 7-5"/>',
  call: '<path d="M6.500 3 8 7 6.300 8.300a9 9 0 0 0 5.400 5.400L13 12l4 1.500c0 2.300-1.400 3.500-3 3.500C8.500 16.500 3.500 11.500 3 6c0-1.600 1.200-3 3.500-3Z"/>',
  function: '<path d="M14 4c-2.500-.8-4 .3-4.500 3L8 14.500c-.5 2-1.800 2.800-3.500 2M6 9h7"/>',
  tag: '<path d="M8 3 6.500 17M13.500 3 12 17M3.500 7.500h14M3 12.500h14"/>',
  person: '<circle cx="10" cy="7" r="3.200"/><path d="M3.800 17c.6-3.600 3-5.200 6.200-5.200s5.600 1.600 6.200 5.200"/>',
};

/** Icons as drawings of our own, in the colour that the theme gives them. */
export const headerIcons: SpriteMap = Object.fromEntries(
  Object.entries(ICONS).map(([name, path]) => [
    name,
    ({ bgColor }: { bgColor: string }) =>
      `<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20" viewBox="0 0 20 20" fill="none" ` +
      `stroke="${bgColor}" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round">${path}</svg>`,
  ]),
);
