// What opens over the canvas: the editor, the card of a rejected edit, menus and dialogs.

import type { ReactElement } from "react";
import type { CellMenu } from "./cell-menu";
import { RejectedEditCard } from "../../sheet/src/rejected-edit";
import type { RowDeletion } from "./row-deletion";
import { ConfirmDelete } from "./confirm-delete";
import type { EditingState } from "./editing";
import { EditorOverlay } from "./editors/overlay";
import type { Headers } from "./headers";
import { useBounds } from "./hooks";
import { concurrentChange } from "./concurrent-change";
import { KeyboardHelp } from "./keyboard-help";
import { Menu } from "./menus";
import { idsOf, relatedSheets, relatedSource } from "./related-source";
import { SearchCard } from "./search-card";
import { refOn, type Scene } from "./scene";
import { AskTooLarge, useTooLarge } from "./paste-too-large";

export type Dialog = "help" | "search" | null;

interface OverlaysProps {
  scene: Scene;
  portal: Element;
  tick: number;
  edit: EditingState;
  headers: Headers;
  cellMenu: CellMenu;
  deletion: RowDeletion;
  dialog: Dialog;
  closeDialog: () => void;
  /** The list of rejected edits is open, so that the card is not needed. */
  isListed: boolean;
}

export function Overlays({ scene, portal, tick, edit, headers, cellMenu, deletion, dialog, closeDialog, isListed }: OverlaysProps): ReactElement {
  const { session, context, palette, selection, grid } = scene;
  const { editing } = edit;
  const cell = selection.current?.cell ?? null;
  const column = cell ? scene.columns[cell[0]] : undefined;
  const ref = cell ? refOn(scene, cell[1]) : null;
  const rejected = ref !== null && column ? session.outbox.cell(ref, column.id)?.rejected : undefined;
  /** Act, and return the focus to the grid, because the clicked element disappears. */
  const thenFocusGrid = (act: () => void) => (): void => {
    act();
    requestAnimationFrame(() => grid.current?.focus());
  };
  const bounds = useBounds(grid, editing?.cell ?? (rejected ? cell : null), tick + session.revision);
  const { data, actions, trigger, tooLarge, askTooLarge: ask } = scene;
  const refresh = (): void => trigger("refresh", true);
  const paste = useTooLarge({ actions, all: data.columns, newTypes: data.new_types, canConfigure: data.can_configure, tooLarge, ask, refresh });
  return (
    <>
      <AskTooLarge paste={paste} andBack={thenFocusGrid} />
      {editing && bounds && (
        <EditorOverlay key={`${editing.row}:${editing.column.id}`} editing={editing} context={context} palette={palette} related={relatedSource(session)}
          done={edit.close} bounds={bounds} portal={portal} grid={grid} note={concurrentChange(scene, editing)} />
      )}
      {!editing && !isListed && rejected && rejected.kind !== "refused" && bounds && (
        <RejectedEditCard edit={rejected} column={column} context={context} bounds={bounds} portal={portal}
          keepMine={thenFocusGrid(() => session.keepMine([rejected]))} sendAgain={thenFocusGrid(() => session.sendAgain([rejected]))}
          drop={thenFocusGrid(() => session.discard([rejected]))} />
      )}
      {headers.menu && <Menu {...headers.menu} portal={portal} close={headers.closeMenu} />}
      {headers.card}
      {dialog === "help" && <KeyboardHelp close={closeDialog} />}
      {dialog === "search" && <SearchCard scene={scene} portal={portal} close={closeDialog} />}
      {cellMenu.menu && <Menu {...cellMenu.menu} portal={portal} close={cellMenu.close} />}
      {deletion.asked && (
        <ConfirmDelete count={deletion.asked.length} related={() => relatedSheets(session, idsOf(deletion.asked ?? []))} confirm={thenFocusGrid(deletion.confirm)}
          cancel={thenFocusGrid(deletion.cancel)} />
      )}
    </>
  );
}
