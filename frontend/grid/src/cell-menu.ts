// The menu of a cell: by the right mouse button, or a long touch.

import { CompactSelection, type DataEditorCoreProps } from "@glideapps/glide-data-grid";
import { useCallback, useState } from "react";
import { clear } from "./actions";
import type { RowDeletion } from "./row-deletion";
import type { MenuEntry, MenuPosition } from "./menus";
import type { Scene } from "./scene";
import { NOTHING, rects } from "./selection";

export interface CellMenu {
  menu: { entries: MenuEntry[]; position: MenuPosition; label: string } | null;
  close: () => void;
  onCellContextMenu: NonNullable<DataEditorCoreProps["onCellContextMenu"]>;
}

export function useCellMenu(scene: Scene, deletion: RowDeletion): CellMenu {
  const [target, setTarget] = useState<(MenuPosition & { cell: readonly [number, number] }) | null>(null);
  const close = useCallback(() => setTarget(null), []);
  const onCellContextMenu = useCallback<CellMenu["onCellContextMenu"]>((cell, event) => {
    event.preventDefault();
    setTarget({ x: event.bounds.x + event.localEventX, y: event.bounds.y + event.localEventY, cell });
  }, []);
  const entries = target ? entriesFor(target.cell, scene, deletion) : [];
  return { menu: target && entries.length > 0 ? { entries, position: target, label: "Cell" } : null, close, onCellContextMenu };
}

function entriesFor([x, y]: readonly [number, number], scene: Scene, deletion: RowDeletion): MenuEntry[] {
  const { view, session, actions, selection, trigger, columns } = scene;
  const line = view.reader.lines.at(y);
  const entries: MenuEntry[] = [];
  if (line.kind === "row" && session.link === null) {
    const [row, column] = [line.id, columns[x]?.id];
    entries.push({ label: "Open row", act: () => trigger("open", row) });
    if (column !== undefined) entries.push({ label: "History of this cell", act: () => trigger("open", { row, column }) });
  }
  if (line.kind === "group") {
    const { headers } = view.reader.lines;
    const keys = headers.map(({ key }) => key);
    const { key, isFolded } = line.group;
    return [
      { label: isFolded ? "Open this group" : "Fold this group", act: () => view.fold([key], !isFolded) },
      { label: "Fold all groups", isApart: true, act: () => view.fold(keys, true) },
      { label: "Open all groups", act: () => view.fold(keys, false) },
    ];
  }
  if (line.kind === "new" || line.kind === "loading") return entries;
  if (actions.canEdit) {
    entries.push({ label: "Clear cells", isApart: true, act: () => clear(actions, rects(selection, columns.length)) });
  }
  if (deletion.ask) entries.push({ label: "Delete rows…", act: () => askFor(y, scene, deletion) });
  return entries;
}

/** Tick the lines of the selected range, or this line, and ask for confirmation. */
function askFor(y: number, { selection, select }: Scene, { ask }: RowDeletion): void {
  const range = selection.current?.range;
  const isInside = range !== undefined && y >= range.y && y < range.y + range.height;
  const isTicked = selection.rows.hasIndex(y);
  const lines: [number, number] = isInside ? [range.y, range.y + range.height] : [y, y + 1];
  const rows = isTicked ? selection.rows : CompactSelection.fromSingleSelection(lines);
  if (!isTicked) select({ ...NOTHING, rows });
  ask?.(rows);
}
