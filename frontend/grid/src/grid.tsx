// The live grid: Glide draws and moves the selection; what cells hold and what becomes of typing is the session's.

import { DataEditorCore, type DataEditorRef, type GridSelection, type Item, type Rectangle } from "@glideapps/glide-data-grid";
import { useCallback, useMemo, useRef, useState, type ReactElement } from "react";
import type { Hands } from "./actions";
import { look } from "./cells";
import { useClipboard } from "./clipboard";
import { gridColumns, headerIcons, visibleColumns } from "./columns";
import { ConfirmDelete } from "./dialog";
import { cellRenderer } from "./draw";
import { useEditing } from "./editing";
import type { Editing, Move } from "./editors/editor";
import { EditorOverlay } from "./editors/overlay";
import { imageLoader, renderers } from "./glide";
import { useBounds, useHeight, useLayout, useNotice, useSession } from "./hooks";
import { useHeaders } from "./headers";
import { IssueCard } from "./conflicts";
import { Menu } from "./menus";
import type { Issue } from "./outbox";
import { usePointer } from "./pointer";
import { NOTHING, oneCell, rects } from "./selection";
import { Banner, Status } from "./status";
import type { Palette } from "./theme";
import type { GridData } from "./types";
import { useRowDeletion } from "./deletion";

export interface GridProps {
  data: GridData;
  palette: Palette;
  portal: Element;
  trigger: (name: "view" | "open" | "columns" | "refresh", value: unknown) => void;
}

const STATUS_HEIGHT = 34;
const ROW_HEIGHT = 34;
const COARSE = typeof matchMedia === "function" && matchMedia("(pointer: coarse)").matches;

export function Grid({ data, palette, portal, trigger }: GridProps): ReactElement {
  const session = useSession(data, () => trigger("refresh", true));
  const [layout, changeLayout] = useLayout(session, data.layout);
  const [selection, setSelection] = useState<GridSelection>(NOTHING);
  const [notice, setNotice] = useNotice();
  const [tick, setTick] = useState(0);
  const grid = useRef<DataEditorRef>(null);
  const box = useRef<HTMLDivElement>(null);
  const height = useHeight(box, data.height);

  const columns = useMemo(() => visibleColumns(data.columns, layout), [data.columns, layout]);
  const context = useMemo(() => ({ formats: data.formats, people: data.people }), [data.formats, data.people]);
  const { can_edit: canEdit, can_add: canAdd } = data;
  const hands = useMemo<Hands>(
    () => ({ session, columns, context, canEdit, canAdd, notice: setNotice }),
    [session, columns, context, canEdit, canAdd, setNotice],
  );
  const { reader } = session;
  const count = reader.lines.count + (canAdd && reader.total !== null ? 1 : 0);

  const closed = useCallback(
    ({ cell }: Editing, [right, down]: Move) => {
      // A click elsewhere has moved the keyboard already; after a key it comes back to the grid.
      if (!document.activeElement || document.activeElement === document.body || right || down) grid.current?.focus();
      if (!right && !down) return;
      const column = Math.min(Math.max(cell[0] + right, 0), columns.length - 1);
      const row = Math.max(cell[1] + down, 0);
      setSelection(oneCell(column, Math.min(row, reader.lines.count)));
      grid.current?.scrollTo(column, Math.min(row, reader.lines.count - 1));
    },
    [columns.length, reader],
  );
  const { editing, open, close } = useEditing(hands, closed);
  const deletion = useRowDeletion(hands, selection, setSelection, data.can_delete);
  const headers = useHeaders({ data, layout, changeLayout, columns, trigger });
  const pointer = usePointer({ hands, selection, open, grid, openRow: (id) => trigger("open", id) });
  const ranges = rects(selection, columns.length);
  useClipboard({ hands, box, ranges: editing ? [] : ranges });

  const cellAt = useCallback(
    ([x, y]: Item) => {
      const [line, column] = [reader.lines.at(y), columns[x]];
      if (!column) return look({ kind: "loading" }, NO_COLUMN, false, { context, palette, canAdd: false });
      const ref = line.kind === "row" ? line.id : line.kind === "draft" ? line.key : null;
      const stored = typeof ref === "number" ? reader.rows.get(ref) : undefined;
      const state = ref === null ? undefined : session.outbox.cell(ref, column.id);
      return look(line, column, x === 0, { context, palette, canAdd }, stored, state);
    },
    // A new revision is a new picture: that is how Glide learns to draw again.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [reader, session, columns, context, palette, canAdd, session.revision],
  );

  const seen = useRef({ first: 0, last: 0 });
  const onVisible = useCallback(
    (range: Rectangle) => {
      seen.current = { first: range.y, last: range.y + range.height };
      reader.blocks.look(range.y, Math.min(range.y + range.height, Math.max(reader.lines.ordered - 1, 0)));
      setTick((now) => now + 1);
    },
    [reader],
  );

  const jump = useCallback(
    (issue: Issue) => {
      const column = Math.max(columns.findIndex((one) => one.id === issue.column), 0);
      const row = reader.lines.find(issue.row, seen.current);
      if (row === undefined) return setNotice(`Row #${issue.row} is not on the screen: scroll or search to it.`);
      setSelection(oneCell(column, row));
      grid.current?.scrollTo(column, row, "both", 0, 40);
      return grid.current?.focus();
    },
    [columns, reader, setNotice],
  );

  const current = selection.current?.cell;
  const line = current ? reader.lines.at(current[1]) : undefined;
  const ref = line?.kind === "row" ? line.id : line?.kind === "draft" ? line.key : null;
  const currentColumn = current ? columns[current[0]] : undefined;
  const issue = ref !== null && currentColumn ? session.outbox.cell(ref, currentColumn.id)?.issue : undefined;
  const bounds = useBounds(grid, editing?.cell ?? (issue && current ? current : null), tick + session.revision);
  const drawing = useMemo(() => [cellRenderer(palette)], [palette]);
  const shownColumns = useMemo(() => gridColumns(columns, layout, data.view.sort ?? []), [columns, layout, data.view.sort]);

  return (
    <div className="cg-root" ref={box} style={{ height }} data-testid="live-grid" aria-label={data.name} role="region">
      <Banner session={session} />
      <div className="cg-canvas" onContextMenu={(event) => event.preventDefault()}>
        <DataEditorCore
          ref={grid} width="100%" height="100%" theme={palette.glide} className="cg-glide"
          columns={shownColumns} rows={count} rowHeight={ROW_HEIGHT} headerHeight={38} freezeColumns={1}
          getCellContent={cellAt} renderers={renderers} imageWindowLoader={imageLoader} customRenderers={drawing} headerIcons={headerIcons}
          gridSelection={selection} onGridSelectionChange={setSelection} rangeSelect="rect" columnSelect="none"
          rowSelect={data.can_delete ? "multi" : "none"} rowSelectionMode="multi"
          rowMarkers={{ kind: data.can_delete ? "both" : "number" }}
          onVisibleRegionChanged={onVisible} smoothScrollX smoothScrollY
          keybindings={KEYS} cellActivationBehavior={COARSE ? "second-click" : "double-click"}
          onCellActivated={(cell) => void open(cell, null)} onKeyDown={pointer.onKeyDown} onCellClicked={pointer.onCellClicked}
          onDelete={deletion.onDelete} fillHandle={canEdit} onFillPattern={pointer.onFillPattern}
          {...headers.events}
        />
      </div>
      <div style={{ height: STATUS_HEIGHT }}>
        <Status session={session} columns={data.columns} hidden={headers.hidden} context={context} notice={notice}
          selected={deletion.selected} deleteSelected={deletion.ask} jump={jump} showHidden={headers.showHidden}
          isReadOnly={!canEdit && !canAdd} />
      </div>
      {editing && bounds && (
        <EditorOverlay key={`${editing.row}:${editing.column.id}`} editing={editing} context={context} palette={palette}
          done={close} bounds={bounds} portal={portal} />
      )}
      {!editing && issue && bounds && (
        <IssueCard issue={issue} column={currentColumn} context={context} bounds={bounds} portal={portal}
          keepMine={() => session.keepMine(issue)} drop={() => session.drop(issue)} />
      )}
      {headers.menu && <Menu {...headers.menu} portal={portal} close={headers.closeMenu} />}
      {deletion.isAsking && <ConfirmDelete count={deletion.selected} confirm={deletion.confirm} cancel={deletion.cancel} />}
    </div>
  );
}

const NO_COLUMN = { id: 0, name: "", type: "text", rules: {}, options: [] };
const KEYS = { copy: false, cut: false, paste: false, search: false, downFill: false, rightFill: false, delete: "Delete|Backspace" } as const;
