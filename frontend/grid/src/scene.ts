// What the parts of the grid share: the session, the columns as this person sees them, the selection, the hands.

import type { DataEditorRef, GridSelection } from "@glideapps/glide-data-grid";
import { useEffect, useMemo, useRef, useState, type RefObject } from "react";
import type { Hands, TooLarge } from "./actions";
import { visibleColumns } from "./columns";
import type { Context } from "../../sheet/src/format";
import { useLayout, useNotice, useSession } from "./hooks";
import { leave } from "../../sheet/src/rejected-edits";
import { NOTHING } from "./selection";
import type { Session } from "../../sheet/src/session";
import type { Palette } from "./theme";
import type { Column, GridData, Layout, RowRef } from "../../sheet/src/types";

export type Trigger = (name: "view" | "open" | "columns" | "refresh", value: unknown) => void;

export interface GridProps {
  data: GridData;
  palette: Palette;
  portal: Element;
  trigger: Trigger;
}

export interface Scene {
  data: GridData;
  palette: Palette;
  trigger: Trigger;
  session: Session;
  layout: Layout;
  changeLayout: (change: Partial<Layout>) => void;
  columns: Column[];
  context: Context;
  hands: Hands;
  /** A block that is larger than the sheet, while a person decides. */
  tooLarge: TooLarge | null;
  askTooLarge: (paste: TooLarge | null) => void;
  selection: GridSelection;
  select: (selection: GridSelection) => void;
  notice: string;
  setNotice: (text: string) => void;
  grid: RefObject<DataEditorRef>;
  box: RefObject<HTMLDivElement>;
}

export function useScene({ data, palette, portal, trigger }: GridProps): Scene {
  const session = useSession(data, () => trigger("refresh", true));
  const [layout, changeLayout] = useLayout(session, data.layout);
  const [selection, select] = useState<GridSelection>(NOTHING);
  const [notice, setNotice] = useNotice();
  const [tooLarge, askTooLarge] = useState<TooLarge | null>(null);
  const columns = useMemo(() => visibleColumns(data.columns, layout), [data.columns, layout]);
  const me = data.me.id;
  const context = useMemo(
    () => ({ formats: data.formats, people: data.people, me }),
    [data.formats, data.people, me],
  );
  const sheet = useRef({ name: data.name, columns: data.columns, context });
  sheet.current = { name: data.name, columns: data.columns, context };
  useEffect(() => () => leave(session, sheet.current, portal), [session, portal]);
  const { can_edit: canEdit, can_add: canAdd } = data;
  const hands = useMemo<Hands>(
    () => ({ session, columns, context, canEdit, canAdd, notice: setNotice, askTooLarge }),
    [session, columns, context, canEdit, canAdd, setNotice],
  );
  const [grid, box] = [useRef<DataEditorRef>(null), useRef<HTMLDivElement>(null)];
  return {
    data, palette, trigger, session, layout, changeLayout, columns, context, hands, tooLarge, askTooLarge,
    selection, select, notice, setNotice, grid, box,
  };
}

/** The row on a line, by number or key; null where no row stands there. */
export function refOn({ session }: Scene, y: number): RowRef | null {
  const line = session.reader.lines.at(y);
  return line.kind === "row" ? line.id : line.kind === "draft" ? line.key : null;
}
