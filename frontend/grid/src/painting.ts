// The rows, columns and cells that Glide draws.

import type { DataEditorCoreProps, GridColumn, Item } from "@glideapps/glide-data-grid";
import { useCallback, useMemo } from "react";
import { groupLook, look, type Cell } from "./cells";
import { gridColumns, NO_COLUMN } from "./columns";
import { cellRenderer } from "./draw";
import { groupCell } from "./group-cells";
import { refOn, type Scene } from "./scene";
import { isOutside, ruleColor } from "./row-matches";
import { cellUsers } from "./presence-marks";

const NO_NUMBER = { textLight: "transparent" };

type Painting = Required<Pick<DataEditorCoreProps, "columns" | "rows" | "getCellContent" | "customRenderers" | "getRowThemeOverride">>;

export function usePainting(scene: Scene, redraws: number): Painting {
  const { view, palette, columns, layout, data } = scene;
  const { lines, total } = view.reader;
  // A new function makes Glide draw everything again; single cells that change are drawn by useDirtyCells.
  const getCellContent = useCallback((at: Item) => paint(scene, at), [scene.actions, palette, redraws]);
  const customRenderers = useMemo(() => [cellRenderer(palette)], [palette]);
  const sort = data.view.sort;
  const visible = useMemo<GridColumn[]>(
    () => gridColumns(columns, layout, sort ?? [], window.innerWidth),
    [columns, layout, sort],
  );
  const last = lines.count;
  const getRowThemeOverride = useCallback(
    (row: number) => (row === last || lines.at(row).kind === "group" ? NO_NUMBER : undefined),
    [last, lines],
  );
  // The empty line appears with the count: before that the end of the sheet is not known.
  const rows = last + (data.can_add && total !== null ? 1 : 0);
  return { columns: visible, rows, getCellContent, customRenderers, getRowThemeOverride };
}

function paint(scene: Scene, [x, y]: Item): Cell {
  const { view, session, columns, context, palette, data } = scene;
  const column = columns[x];
  const cellScene = { context, palette, canEdit: data.can_edit, canAdd: data.can_add };
  if (!column) return look({ kind: "loading" }, NO_COLUMN, false, cellScene);
  const line = view.reader.lines.at(y);
  if (line.kind === "group") return groupLook(line, column, groupCell(scene, line.group, column, x === 0), palette);
  const ref = refOn(scene, y);
  const stored = typeof ref === "number" ? view.reader.rows.get(ref) : undefined;
  const state = ref === null ? undefined : session.outbox.cell(ref, column.id);
  const cell = look(line, column, x === 0, cellScene, stored, state);
  cell.data.users = cellUsers(scene, ref, column.id);
  const color = ruleColor(scene, ref, column.id);
  if (isOutside(scene, ref)) return { ...cell, themeOverride: { bgCell: palette.tints.gray?.background, textDark: palette.faint } };
  return color === null || cell.themeOverride ? cell : { ...cell, themeOverride: { bgCell: palette.tints[color]?.background } };
}
