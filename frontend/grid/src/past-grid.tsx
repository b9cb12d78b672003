// The grid of a sheet as it was: the same columns, cells and scrolling as the live one, without editing.

import { DataEditorCore, type DataEditorCoreProps, type GridSelection, type Item } from "@glideapps/glide-data-grid";
import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore, type ReactElement } from "react";
import { Api } from "../../sheet/src/api";
import { look, type Cell } from "./cells";
import { gridColumns, headerIcons, nextSort, NO_COLUMN, visibleColumns } from "./columns";
import { cellRenderer } from "./draw";
import { imageLoader, renderers } from "./glide-renderers";
import { HEADER_HEIGHT, MARKER_WIDTH, ROW_HEIGHT, STATUS_HEIGHT } from "./density";
import { useHeight } from "./hooks";
import { usePeople } from "../../sheet/src/people";
import { PastReader, tintOf } from "../../sheet/src/past-reader";
import type { GridProps } from "./scene";
import { NOTHING } from "./selection";
import type { Palette } from "./theme";
import type { Column, GridData, Tint } from "../../sheet/src/types";

const NO_TINTS = {};
const READ_ONLY = { paste: false, cut: false, delete: false, search: false, downFill: false, rightFill: false } as const;

type PastData = GridData & { as_of: string };
type People = ReturnType<typeof usePeople>;

export function PastGrid({ data: gridData, palette, trigger }: GridProps): ReactElement {
  const data = gridData as PastData;
  const box = useRef<HTMLDivElement>(null);
  const past = usePast(data);
  const people = usePeople(past.api, past.path, data.people, null);
  const height = useHeight(box, data.height);
  const [selection, select] = useState<GridSelection>(NOTHING);
  const painting = usePainting(past, data, people, palette);
  const { columns } = painting;
  const onHeaderClicked = (index: number): void => {
    const column = Number(columns[index]?.id);
    if (column) trigger("view", { sort: nextSort(column, data.view.sort ?? []) });
  };
  const last = Math.max((past.total ?? 0) - 1, 0);
  return (
    <div className="cg-root" ref={box} style={{ height }} role="region" aria-label={`${data.name}, as it was`} data-testid="past-grid">
      <div className="cg-canvas">
        <DataEditorCore
          width="100%" height="100%" className="cg-glide" theme={palette.glide} rowHeight={ROW_HEIGHT} headerHeight={HEADER_HEIGHT}
          getCellsForSelection freezeColumns={1} rowMarkerWidth={MARKER_WIDTH} renderers={renderers} imageWindowLoader={imageLoader} headerIcons={headerIcons}
          {...painting} rowMarkers="number" rowSelect="none" columnSelect="none" rangeSelect="rect"
          gridSelection={selection} onGridSelectionChange={select} keybindings={READ_ONLY} onHeaderClicked={onHeaderClicked}
          onVisibleRegionChanged={({ y, height: rows }) => past.blocks.setVisible([[y, Math.min(y + rows, last)]])} smoothScrollX smoothScrollY
        />
      </div>
      <div style={{ height: STATUS_HEIGHT }}>
        <div className="cg-status" data-testid="grid-status">
          <span className="cg-count" data-testid="grid-rows">{counted(past.total, data.formats.locale)}</span>
          <span className={`cg-tone ${past.problemText ? "cg-bad" : "cg-good"}`} data-testid="grid-saving" role="status">{past.problemText ?? "Read only"}</span>
        </div>
      </div>
    </div>
  );
}

function usePast(data: PastData): PastReader {
  const [past] = useState(() => new PastReader(new Api("/api/v1"), `/sheets/${data.sheet}`, data.as_of));
  useSyncExternalStore(past.subscribe, past.snapshot);
  useEffect(() => () => past.end(), [past]);
  const view = JSON.stringify(data.view);
  useEffect(() => void past.open(JSON.parse(view) as GridData["view"]), [past, view]);
  return past;
}

type Painting = Pick<DataEditorCoreProps, "rows" | "getCellContent" | "customRenderers"> & Required<Pick<DataEditorCoreProps, "columns">>;

function usePainting(past: PastReader, data: PastData, people: People, palette: Palette): Painting {
  const columns = useMemo(() => visibleColumns(data.columns, data.layout), [data.columns, data.layout]);
  const visible = useMemo(
    () => gridColumns(columns, data.layout, data.view.sort ?? [], window.innerWidth).map((column) => ({ ...column, hasMenu: false })),
    [columns, data.layout, data.view.sort],
  );
  const customRenderers = useMemo(() => [cellRenderer(palette)], [palette]);
  // A new function makes Glide draw again after a new revision.
  const getCellContent = useCallback(
    ([x, y]: Item) => paint(past, y, columns[x] ?? NO_COLUMN, data, people, palette),
    [past.revision, columns, data.tints, data.formats, people, palette],
  );
  return { columns: visible, rows: past.total ?? 0, getCellContent, customRenderers };
}

function paint(past: PastReader, line: number, column: Column, data: PastData, people: People, palette: Palette): Cell {
  const context = { formats: data.formats, ...people };
  const cellScene = { context, palette, canEdit: false, canAdd: false };
  const row = past.rowAt(line);
  if (!row) return look({ kind: "loading" }, column, false, cellScene);
  const tint = tintOf(data.tints ?? NO_TINTS, row.id, column.id);
  const stored = { ...row, version: 0, cellVersions: {}, removed: tint === "deleted", isUnread: false, highlights: {} };
  const cell = look({ kind: "row", id: row.id }, column, false, cellScene, stored);
  return tint === null ? cell : { ...cell, themeOverride: { bgCell: backgroundOf(tint, palette) } };
}

const COLORS: Record<Tint, string> = { edited: "orange", added: "green", deleted: "red" };

function backgroundOf(tint: Tint, palette: Palette): string | undefined {
  return palette.tints[COLORS[tint]]?.background;
}

function counted(total: number | null, locale: string): string {
  if (total === null) return "…";
  return total === 1 ? "1 row" : `${total.toLocaleString(locale)} rows`;
}
