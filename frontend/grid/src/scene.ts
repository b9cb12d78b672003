// What the parts of the grid share: the view and session of the sheet, this user's columns, the selection, the cell actions.

import type { DataEditorRef, GridSelection } from "@glideapps/glide-data-grid";
import { useEffect, useMemo, useRef, useState, type MutableRefObject, type RefObject } from "react";
import type { ActionScope, TooLarge } from "./actions";
import { visibleColumns } from "./columns";
import type { Context } from "../../sheet/src/format";
import { useLayout, useNotice, useSheetView, useShownRows } from "./hooks";
import { closeView } from "../../sheet/src/rejected-edits";
import { defaultCells } from "./new-row";
import { useSelection } from "./selection";
import type { SheetSession } from "../../sheet/src/session";
import { usePeople } from "../../sheet/src/people";
import type { SheetView } from "../../sheet/src/view";
import type { Palette } from "./theme";
import type { Column, GridData, Layout, RowRef } from "../../sheet/src/types";

export type Trigger = (name: "view" | "open" | "columns" | "refresh", value: unknown) => void;

export interface GridProps {
  data: GridData;
  palette: Palette;
  portal: HTMLElement;
  trigger: Trigger;
}

export interface Scene {
  data: GridData;
  palette: Palette;
  trigger: Trigger;
  /** This grid's view of the sheet, and the session that it shares with the sheet's other views. */
  view: SheetView;
  session: SheetSession;
  layout: Layout;
  changeLayout: (change: Partial<Layout>) => void;
  columns: Column[];
  context: Context;
  actions: ActionScope;
  /** A block that is larger than the sheet, until the user decides. */
  tooLarge: TooLarge | null;
  askTooLarge: (paste: TooLarge | null) => void;
  selection: GridSelection;
  select: (selection: GridSelection) => void;
  /** A column that has just been added: the grid goes there once it has it. */
  goTo: MutableRefObject<number | null>;
  notice: string;
  setNotice: (text: string) => void;
  grid: RefObject<DataEditorRef>;
  box: RefObject<HTMLDivElement>;
}

export function useScene({ data, palette, portal, trigger }: GridProps): Scene {
  const view = useSheetView(data, () => trigger("refresh", true));
  const { session } = view;
  const [layout, changeLayout] = useLayout(view, data);
  useShownRows(view, data, layout);
  const [selection, select] = useSelection(view);
  const [notice, setNotice] = useNotice();
  const [tooLarge, askTooLarge] = useState<TooLarge | null>(null);
  const columns = useMemo(() => visibleColumns(data.columns, layout), [data.columns, layout]);
  const me = data.me.id;
  const people = usePeople(session.api, session.path, data.people, session.link);
  const context = useMemo(() => ({ formats: data.formats, ...people, me }), [data.formats, people, me]);
  const sheet = useRef({ name: data.name, columns: data.columns, context });
  sheet.current = { name: data.name, columns: data.columns, context };
  useEffect(() => () => closeView(view, sheet.current, portal), [view, portal]);
  const { can_edit: canEdit, can_add: canAdd } = data;
  const defaults = useMemo(() => defaultCells(data), [data]);
  const actions = useMemo<ActionScope>(
    () => ({ view, session, columns, context, defaults, canEdit, canAdd, notice: setNotice, askTooLarge }),
    [view, session, columns, context, defaults, canEdit, canAdd, setNotice],
  );
  const goTo = useRef<number | null>(null);
  const [grid, box] = [useRef<DataEditorRef>(null), useRef<HTMLDivElement>(null)];
  return {
    data, palette, trigger, view, session, layout, changeLayout, columns, context, actions, tooLarge, askTooLarge,
    selection, select, goTo, notice, setNotice, grid, box,
  };
}

/** The row on a line, by number or key; null if the line has no row. */
export function refOn({ view }: Scene, y: number): RowRef | null {
  const line = view.reader.lines.at(y);
  return line.kind === "row" ? line.id : line.kind === "draft" ? line.key : null;
}
