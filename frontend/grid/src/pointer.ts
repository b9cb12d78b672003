// Keys and clicks on cells that do more than move the selection.

import type { CellClickedEventArgs, FillPatternEventArgs, GridKeyEventArgs, GridSelection, Item } from "@glideapps/glide-data-grid";
import { useCallback, useRef } from "react";
import { fill, type ActionScope } from "./actions";
import { href } from "./cells";
import { ACTION_WIDTH } from "./draw";
import { typedBy, type EditingState } from "./editing";
import { displayText } from "../../sheet/src/format";
import { NOTHING } from "./selection";
import type { GroupHeader } from "../../sheet/src/grouping";

interface PointerScene {
  actions: ActionScope;
  selection: GridSelection;
  select: (selection: GridSelection) => void;
  open: EditingState["open"];
  openRow: (id: number) => void;
  /** Open the menu of a column's header. */
  openHeader: (column: number) => void;
  /** Increases when the table for screen readers must be written: Glide does so for a new key listener. */
  tables: number;
}

export interface Pointer {
  onKeyDown: (event: GridKeyEventArgs) => void;
  onCellClicked: (cell: Item, event: CellClickedEventArgs) => void;
  onFillPattern: (event: FillPatternEventArgs) => void;
}

export function usePointer(scene: PointerScene): Pointer {
  const now = useRef(scene);
  now.current = scene;
  return {
    onKeyDown: useCallback((event) => key(event, now.current), [scene.tables]),
    onCellClicked: useCallback((cell, event) => click(cell, event, now.current), []),
    onFillPattern: useCallback((event) => {
      event.preventDefault();
      fill(now.current.actions, event.patternSource, event.fillDestination);
    }, []),
  };
}

function key(event: GridKeyEventArgs, scene: PointerScene): void {
  const { selection, open } = scene;
  const cell = selection.current?.cell;
  const raw = event.rawEvent?.nativeEvent;
  if (!cell || !raw) return;
  const line = scene.actions.view.reader.lines.at(cell[1]);
  if (line.kind === "group" && (event.key === "Enter" || event.key === " ")) {
    toggle(line.group, scene);
    event.cancel();
    event.preventDefault();
    return;
  }
  const typed = typedBy(raw);
  const isFill = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "d";
  const isColumn = event.ctrlKey && event.key === " ";
  if (isFill) fillDown(scene);
  else if (isColumn) selectColumns(scene);
  else if (event.altKey && event.key === "Enter") openLine(cell[1], scene);
  else if (event.altKey && event.key === "ArrowDown") scene.openHeader(cell[0]);
  else if (event.key !== "F2" && typed === null) return;
  else if (!open(cell, typed)) return;
  event.cancel();
  // The start of a composed character belongs to the editor's field that has just opened.
  if (typed !== "") event.preventDefault();
}

/** Fold a group, or open it. */
function toggle({ key: group, isFolded }: GroupHeader, { actions }: PointerScene): void {
  actions.view.fold([group], !isFolded);
}

/** Copy the first line of the selection into the lines below; with one line selected, copy the line above into it. */
function fillDown({ actions, selection }: PointerScene): void {
  const range = selection.current?.range;
  if (!range) return;
  const from = range.height > 1 ? range.y : range.y - 1;
  if (from >= 0) fill(actions, { ...range, y: from, height: 1 }, range);
}

/** All rows of the selected columns; the cell stays where it is. */
function selectColumns({ actions, selection, select }: PointerScene): void {
  const { current } = selection;
  const { count } = actions.view.reader.lines;
  if (current && count > 0) select({ ...NOTHING, current: { ...current, range: { ...current.range, y: 0, height: count }, rangeStack: [] } });
}

function openLine(y: number, { actions, openRow }: PointerScene): void {
  const line = actions.view.reader.lines.at(y);
  if (line.kind === "row") openRow(line.id);
}

function click(cell: Item, event: CellClickedEventArgs, scene: PointerScene): void {
  const column = scene.actions.columns[cell[0]];
  const line = scene.actions.view.reader.lines.at(cell[1]);
  if (line.kind === "group") toggle(line.group, scene);
  if (!column || line.kind !== "row") return;
  const isAction = event.localEventX > event.bounds.width - ACTION_WIDTH && !event.isTouch;
  const isModified = event.ctrlKey || event.metaKey;
  if (column.form === "boolean" && Math.abs(event.localEventX - event.bounds.width / 2) < 14) {
    event.preventDefault();
    scene.open(cell, null);
  } else if (isAction || isModified || (event.isTouch && wasSelected(cell, scene))) {
    follow(cell, line.id, scene, event);
  }
}

/** Open the link of a cell, or in the pinned column its row. */
function follow(cell: Item, row: number, scene: PointerScene, event: CellClickedEventArgs): void {
  const { actions, openRow } = scene;
  const column = actions.columns[cell[0]];
  if (!column) return;
  const target = href(displayText(actions.view.cell(row, column.id).value, column, actions.context), column);
  if (target) window.open(target, "_blank", "noopener,noreferrer");
  else if (cell[0] === 0 && !event.isTouch && !event.ctrlKey && !event.metaKey) openRow(row);
  else return;
  event.preventDefault();
}

function wasSelected(cell: Item, { selection, actions }: PointerScene): boolean {
  const current = selection.current?.cell;
  return !!actions.columns[cell[0]]?.scheme && current?.[0] === cell[0] && current[1] === cell[1];
}
