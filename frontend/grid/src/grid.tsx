// The live grid: Glide draws and moves the selection; the session holds values and edits.

import { DataEditorCore } from "@glideapps/glide-data-grid";
import { useCallback, useEffect, useMemo, useState, type ReactElement } from "react";
import { useListOpen } from "../../sheet/src/rejected-list";
import { useCellMenu, type CellMenu } from "./cell-menu";
import { useClipboard } from "./clipboard";
import { frozenCount, headerIcons } from "./columns";
import { COARSE, HEADER_HEIGHT, MARKER_WIDTH, ROW_HEIGHT, STATUS_HEIGHT, TOTALS_HEIGHT } from "./density";
import { useDirtyCells, type Redraws } from "./dirty-cells";
import { useRowDeletion } from "./row-deletion";
import { useEditing, type EditingState } from "./editing";
import type { Editing, Move } from "./editors/editor";
import { imageLoader, renderers } from "./glide-renderers";
import { useHeaders, type Headers } from "./headers";
import { useHeight, useIsPhone } from "./hooks";
import { Overlays, type Dialog } from "./overlays";
import { usePainting } from "./painting";
import { usePointer } from "./pointer";
import { useAddRow } from "./new-row";
import { NoMatch } from "./no-match";
import { isOutside, useRowMatches } from "./row-matches";
import { refOn, useScene, type GridProps, type Scene } from "./scene";
import { oneCell, rects } from "./selection";
import { useOwnPresence } from "./own-presence";
import { RowCards } from "./row-cards";
import { RowPanel } from "./row-panel";
import { RefusedBar } from "./refused-bar";
import { focusSearch, useShortcuts } from "./shortcuts";
import { Banner, Status } from "./status";
import { TotalsRow } from "./totals-row";
import { useMessage, useUndoKeys } from "./undo-buttons";
import type { RejectedEdit } from "../../sheet/src/commands";
import type { Column, RowRef } from "../../sheet/src/types";
import { useViewport, type Viewport } from "./viewport";

export function Grid(props: GridProps): ReactElement {
  const { data, palette, portal, trigger } = props;
  const scene = useScene(props);
  const { view, session, actions, selection, select, box, columns, layout } = scene;
  const viewport = useViewport(scene);
  const edit = useEditing(actions, viewport.locate, useClosed(scene));
  const headers = useHeaders(scene, portal);
  useAddedColumn(scene);
  const deletion = useRowDeletion(actions, selection, select, data.can_delete);
  const { ask } = deletion;
  const cellMenu = useCellMenu(scene, deletion);
  useOwnPresence(scene);
  useRowMatches(scene, viewport);
  useUndoKeys(session, box, edit.editing !== null);
  useMessage(session, scene.setNotice);
  const addRow = useAddRow(scene, edit.open);
  const list = useListOpen(session.rejectedEdits.length);
  const isPhone = useIsPhone();
  const [openRow, setOpenRow] = useState<RowRef | null>(null);
  const closeRow = useCallback(() => setOpenRow(null), []);
  const [dialog, setDialog] = useState<Dialog>(null);
  const closeDialog = useCallback(() => setDialog(null), []);
  const search = (): void => {
    if (!focusSearch()) setDialog("search");
  };
  useShortcuts({ search, help: () => setDialog("help"), addRow }, box, edit.editing !== null);
  const refused = refusedCell(scene);
  const height = useHeight(box, data.height);
  const redraws = useDirtyCells(scene, viewport);
  const { lines, total } = view.reader;
  const canvas = useMemo(
    () => <Canvas scene={scene} viewport={viewport} edit={edit} headers={headers} cellMenu={cellMenu} onDelete={deletion.onDelete} redraws={redraws} />,
    [data, palette, trigger, columns, layout, actions, selection, edit.open, lines.count, total, redraws],
  );
  useClipboard({ actions, box, ranges: edit.editing ? [] : rects(selection, columns.length) });
  return (
    <div className="cg-root" ref={box} style={{ height }} role="region" aria-label={data.name}
      data-testid="live-grid" data-version={view.reader.version}>
      <Banner view={view} />
      {isPhone
        ? <RowCards scene={scene} viewport={viewport} open={setOpenRow} />
        : <div className="cg-canvas" onContextMenu={(event) => event.preventDefault()}>{canvas}</div>}
      <NoMatch scene={scene} />
      {openRow !== null && <RowPanel scene={scene} opened={openRow} portal={portal} close={closeRow} />}
      {!isPhone && <div style={{ height: TOTALS_HEIGHT }}>
        {refused && edit.editing === null
          ? <RefusedBar scene={scene} {...refused} open={() => edit.open(refused.cell, null)} />
          : <TotalsRow scene={scene} tick={viewport.tick} openMenu={headers.openMenu} />}
      </div>}
      <div style={{ height: STATUS_HEIGHT }}>
        <Status scene={scene} list={list} hidden={headers.hidden} showHidden={headers.showHidden} jump={viewport.jump}
          lines={deletion.lines} portal={portal} deleteSelected={ask && (() => ask(selection.rows))} open={rowToOpen(scene)} add={isPhone && addRow ? () => setOpenRow(session.newKey()) : addRow} isMarked={isOutside(scene, selectedRef(scene))} />
      </div>
      <Overlays scene={scene} isListed={list[0]} portal={portal} tick={viewport.tick} edit={edit} headers={headers} cellMenu={cellMenu} deletion={deletion}
        dialog={dialog} closeDialog={closeDialog} />
    </div>
  );
}

interface CanvasProps {
  scene: Scene;
  viewport: Viewport;
  edit: EditingState;
  headers: Headers;
  cellMenu: CellMenu;
  onDelete: ReturnType<typeof useRowDeletion>["onDelete"];
  redraws: Redraws;
}

const KEYS = { copy: false, cut: false, paste: false, search: false, downFill: false, rightFill: false, delete: "Delete|Backspace" };

/** Rendered only when something around the cells has changed; useDirtyCells draws changed cells. */
function Canvas({ scene, viewport, edit, headers, cellMenu, onDelete, redraws: anew }: CanvasProps): ReactElement {
  const { data, grid, palette, selection, select, actions, trigger, session, layout, columns } = scene;
  const canTick = data.can_delete || data.can_edit || data.can_export;
  const painting = usePainting(scene, anew.canvas);
  const pointer = usePointer({ actions, selection, select, open: edit.open, openRow: (id) => session.link === null && trigger("open", id), openHeader: headers.openHeader, tables: anew.table });
  const onActivated = useCallback((cell: readonly [number, number]) => void edit.open(cell, null), [edit.open]);
  return (
    <DataEditorCore
      ref={grid} width="100%" height="100%" className="cg-glide" theme={palette.glide} rowHeight={ROW_HEIGHT} headerHeight={HEADER_HEIGHT}
      getCellsForSelection freezeColumns={frozenCount(layout, columns)} rowMarkerWidth={MARKER_WIDTH} renderers={renderers} imageWindowLoader={imageLoader} headerIcons={headerIcons} {...painting}
      gridSelection={selection} onGridSelectionChange={select} rangeSelect="rect" columnSelect="none"
      rowSelect={canTick ? "multi" : "none"} rowSelectionMode="multi"
      rowMarkers={canTick ? (layout.groups.length > 0 ? "checkbox-visible" : "both") : "number"}
      onVisibleRegionChanged={viewport.onVisible} smoothScrollX smoothScrollY keybindings={KEYS}
      cellActivationBehavior={COARSE ? "second-click" : "double-click"} onCellActivated={onActivated}
      onCellContextMenu={cellMenu.onCellContextMenu} onDelete={onDelete} fillHandle={data.can_edit} {...pointer} {...headers.events}
      rightElement={data.can_configure ? <AddColumn open={headers.addColumn} /> : undefined}
    />
  );
}

/** The button behind the last column. */
function AddColumn({ open }: { open: Headers["addColumn"] }): ReactElement {
  return (
    <button className="cg-plus" style={{ height: HEADER_HEIGHT }} title="Add a column" aria-label="Add a column" data-testid="grid-add-column"
      onClick={({ currentTarget }) => {
        const { left, bottom } = currentTarget.getBoundingClientRect();
        open({ x: left, y: bottom + 4 });
      }}>+</button>
  );
}

/** Go to a column that has just been added. */
function useAddedColumn({ goTo, columns, grid }: Scene): void {
  useEffect(() => {
    const index = columns.findIndex(({ id }) => id === goTo.current);
    if (index < 0) return;
    goTo.current = null;
    requestAnimationFrame(() => grid.current?.scrollTo(index, 0, "horizontal"));
  }, [columns, goTo, grid]);
}

/** After a key ended an editor the selection moves on; after a click elsewhere the focus stays there. */
function useClosed({ columns, view, select, grid }: Scene): (from: Editing, move: Move | null) => void {
  const { lines } = view.reader;
  return useCallback(
    ({ cell }, move) => {
      if (!move) return;
      const [right, down] = move;
      grid.current?.focus();
      if (!right && !down) return;
      const column = Math.min(Math.max(cell[0] + right, 0), columns.length - 1);
      const row = Math.min(Math.max(cell[1] + down, 0), lines.count);
      select(oneCell(column, row));
      // In the next frame the grid knows the line that has just been added.
      requestAnimationFrame(() => grid.current?.scrollTo(column, row));
    },
    [columns.length, lines, select, grid],
  );
}

/** The selected cell where its value was refused. */
function refusedCell(scene: Scene): { edit: RejectedEdit; column: Column; cell: readonly [number, number] } | null {
  const cell = scene.selection.current?.cell;
  const column = cell && scene.columns[cell[0]];
  const ref = selectedRef(scene);
  const edit = ref === null || !column ? undefined : scene.session.outbox.cell(ref, column.id)?.rejected;
  return cell && column && edit?.kind === "refused" ? { edit, column, cell } : null;
}

function selectedRef(scene: Scene): RowRef | null {
  const cell = scene.selection.current?.cell;
  return cell ? refOn(scene, cell[1]) : null;
}

/** Opens the row of the selected cell, for touch and keyboard. */
function rowToOpen(scene: Scene): (() => void) | null {
  if (scene.session.link !== null) return null;
  const ref = selectedRef(scene);
  return typeof ref === "number" ? () => scene.trigger("open", ref) : null;
}
