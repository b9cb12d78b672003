// What opens over the canvas: the editor, the word beside a refused cell, menus, the question before deleting.

import type { ReactElement } from "react";
import type { CellMenu } from "./cell-menu";
import { IssueCard } from "../../sheet/src/rejected-edit";
import type { RowDeletion } from "./row-deletion";
import { ConfirmDelete } from "./confirm-delete";
import type { EditingState } from "./editing";
import { EditorOverlay } from "./editors/overlay";
import type { Headers } from "./headers";
import { useBounds } from "./hooks";
import { meanwhile } from "./concurrent-change";
import { Menu } from "./menus";
import { refOn, type Scene } from "./scene";
import { AskTooLarge, useTooLarge } from "./paste-too-large";

interface OverlaysProps {
  scene: Scene;
  portal: Element;
  tick: number;
  edit: EditingState;
  headers: Headers;
  cellMenu: CellMenu;
  deletion: RowDeletion;
  /** The list of what was not saved is open: it says what the card would say. */
  isListed: boolean;
}

export function Overlays({ scene, portal, tick, edit, headers, cellMenu, deletion, isListed }: OverlaysProps): ReactElement {
  const { session, context, palette, selection, grid } = scene;
  const { editing } = edit;
  const cell = selection.current?.cell ?? null;
  const column = cell ? scene.columns[cell[0]] : undefined;
  const ref = cell ? refOn(scene, cell[1]) : null;
  const issue = ref !== null && column ? session.outbox.cell(ref, column.id)?.issue : undefined;
  /** What was clicked goes away with its click; the keyboard goes back to the grid. */
  const andBack = (act: () => void) => (): void => {
    act();
    requestAnimationFrame(() => grid.current?.focus());
  };
  const bounds = useBounds(grid, editing?.cell ?? (issue ? cell : null), tick + session.revision);
  const { data, hands, trigger, tooLarge: asked, askTooLarge: ask } = scene;
  const refresh = (): void => trigger("refresh", true);
  const paste = useTooLarge({ hands, all: data.columns, newTypes: data.new_types, canConfigure: data.can_configure, asked, ask, refresh });
  return (
    <>
      <AskTooLarge paste={paste} andBack={andBack} />
      {editing && bounds && (
        <EditorOverlay key={`${editing.row}:${editing.column.id}`} editing={editing} context={context} palette={palette}
          done={edit.close} bounds={bounds} portal={portal} grid={grid} note={meanwhile(scene, editing)} />
      )}
      {!editing && !isListed && issue && bounds && (
        <IssueCard issue={issue} column={column} context={context} bounds={bounds} portal={portal}
          keepMine={andBack(() => session.keepMine([issue]))} sendAgain={andBack(() => session.sendAgain([issue]))}
          drop={andBack(() => session.discard([issue]))} />
      )}
      {headers.menu && <Menu {...headers.menu} portal={portal} close={headers.closeMenu} />}
      {cellMenu.menu && <Menu {...cellMenu.menu} portal={portal} close={cellMenu.close} />}
      {deletion.isAsking && (
        <ConfirmDelete count={deletion.selected} confirm={andBack(deletion.confirm)}
          cancel={andBack(deletion.cancel)} />
      )}
    </>
  );
}
