// Everything that happens on a header: sorting, moving, resizing, hiding, its menu and the cards that the menu opens.

import type { DataEditorCoreProps } from "@glideapps/glide-data-grid";
import { useCallback, useMemo, useRef, useState, type ReactElement } from "react";
import { ColumnCard } from "./column-card";
import { ColorCard } from "./color-card";
import { movedOrder, nextSort } from "./columns";
import { ConditionCard } from "./condition-card";
import { headerEntries, type HeaderActs } from "./header-menu";
import type { MenuEntry, MenuPosition } from "./menus";
import type { Scene } from "./scene";
import { withCondition } from "../../sheet/src/filter";
import type { Column } from "../../sheet/src/types";

interface OpenMenu {
  entries: MenuEntry[];
  position: MenuPosition;
  label: string;
}

type Events = Pick<
  DataEditorCoreProps,
  "onHeaderClicked" | "onHeaderMenuClick" | "onHeaderContextMenu" | "onColumnResize" | "onColumnResizeEnd" | "onColumnMoved"
>;

type OpenCard = { kind: "filter" | "color"; column: Column; position: MenuPosition } | { kind: "column"; column: Column | null; position: MenuPosition };

export interface Headers {
  events: Events;
  menu: OpenMenu | null;
  closeMenu: () => void;
  openMenu: (entries: MenuEntry[], position: MenuPosition, label: string) => void;
  /** Open the menu of a column from the keyboard. */
  openHeader: (index: number) => void;
  /** Open the card of a new column. */
  addColumn: (position: MenuPosition) => void;
  hidden: Column[];
  showHidden: (x: number, y: number) => void;
  card: ReactElement | null;
}

/** The release of a resized edge is a click on the header, too: clicks within this time (ms) are not meant. */
const AFTER_RESIZE = 400;

export function useHeaders(scene: Scene, portal: Element): Headers {
  const { data, layout, changeLayout, columns, trigger } = scene;
  const [menu, setMenu] = useState<OpenMenu | null>(null);
  const [card, setCard] = useState<OpenCard | null>(null);
  const resizedAt = useRef(-Infinity);
  const closeMenu = useCallback(() => setMenu(null), []);
  const closeCard = useCallback(() => setCard(null), []);
  const openEntries = useCallback<Headers["openMenu"]>((entries, position, label) => setMenu({ entries, position, label }), []);
  const sort = data.view.sort ?? [];
  const hidden = useMemo(() => data.columns.filter((column) => layout.hidden.includes(column.id)), [data.columns, layout]);
  const openMenu = (index: number, position: MenuPosition): void => {
    const column = columns[index];
    if (!column || isResized()) return;
    const acts: HeaderActs = {
      edit: () => setCard({ kind: "column", column, position }),
      filter: () => setCard({ kind: "filter", column, position }),
      color: () => setCard({ kind: "color", column, position }),
      sort: (sorts) => trigger("view", { sort: sorts }),
      arrange: changeLayout,
      settings: () => trigger("columns", { column: column.id }),
      addColumn: () => setCard({ kind: "column", column: null, position }),
    };
    const facts = { column, index, sort, layout, canConfigure: data.can_configure, canView: scene.session.link === null };
    setMenu({ entries: headerEntries(facts, acts), position, label: column.name });
  };
  const isResized = (): boolean => performance.now() - resizedAt.current < AFTER_RESIZE;
  const show = (ids: number[]): void => changeLayout({ hidden: layout.hidden.filter((id) => !ids.includes(id)) });
  const showHidden = (x: number, y: number): void => {
    const entries = hidden.map((column) => ({ label: `Show ${column.name}`, act: () => show([column.id]) }));
    const all = { label: "Show all columns", isApart: true, act: () => show(layout.hidden) };
    setMenu({ entries: hidden.length > 1 ? [...entries, all] : entries, position: { x, y: y - 20 }, label: "Hidden columns" });
  };
  const events: Events = {
    onHeaderClicked: (index) => {
      const column = columns[index];
      if (column && !isResized()) trigger("view", { sort: nextSort(column.id, sort) });
    },
    onHeaderMenuClick: (index, { x, y, height }) => openMenu(index, { x, y: y + height }),
    onHeaderContextMenu: (index, event) => {
      event.preventDefault();
      openMenu(index, { x: event.bounds.x + event.localEventX, y: event.bounds.y + event.bounds.height });
    },
    onColumnResize: (column, width) => {
      resizedAt.current = performance.now();
      changeLayout({ widths: { ...layout.widths, [String(column.id)]: Math.round(width) } });
    },
    onColumnResizeEnd: () => {
      resizedAt.current = performance.now();
    },
    onColumnMoved: (from, to) => {
      const [moved, target] = [columns[from], columns[to]];
      if (moved && target && moved !== target) changeLayout({ order: movedOrder(data.columns, layout, moved, target) });
    },
  };
  const openHeader = (index: number): void => {
    const bounds = scene.grid.current?.getBounds(index);
    if (bounds) openMenu(index, { x: bounds.x, y: bounds.y + bounds.height });
  };
  const addColumn = (position: MenuPosition): void => setCard({ kind: "column", column: null, position });
  const opened = card && <HeaderCard scene={scene} card={card} portal={portal} close={closeCard} />;
  return { events, menu, closeMenu, openMenu: openEntries, openHeader, addColumn, hidden, showHidden, card: opened };
}

function HeaderCard({ scene, card, portal, close }: { scene: Scene; card: OpenCard; portal: Element; close: () => void }): ReactElement {
  const { data, session, context, layout, changeLayout, trigger } = scene;
  const { position } = card;
  const place = { position, portal, close };
  if (card.kind === "column") {
    const changed = (added: number | null): void => {
      if (added !== null) scene.goTo.current = added;
      trigger("refresh", true);
    };
    return <ColumnCard {...place} session={session} column={card.column} kinds={data.kinds} changed={changed} />;
  }
  const { column } = card;
  if (card.kind === "filter") {
    return (
      <ConditionCard {...place} column={column} context={context} label={`Filter by ${column.name}`} action="Add filter"
        act={(condition) => trigger("view", { filter: withCondition(data.view.filter ?? [], condition) })} />
    );
  }
  return <ColorCard {...place} column={column} context={context} colors={layout.colors} palette={scene.palette} change={(colors) => changeLayout({ colors })} />;
}
