// The actions on the ticked rows, in the line below the grid.

import { useState, type MouseEvent, type ReactElement } from "react";
import { duplicate, exportRows, setValue } from "./bulk";
import type { MenuPosition } from "./menus";
import type { Scene } from "./scene";
import { NOTHING } from "./selection";
import { ValueCard } from "./value-card";
import { isMirror } from "../../sheet/src/format";
import type { Column } from "../../sheet/src/types";

interface SelectionBarProps {
  scene: Scene;
  portal: Element;
  /** The lines of the ticked rows. */
  lines: readonly number[];
  remove: (() => void) | null;
}

interface OpenCard {
  label: string;
  fixed: Column | null;
  position: MenuPosition;
}

export function SelectionBar({ scene, portal, lines, remove }: SelectionBarProps): ReactElement {
  const { data, actions, context, columns, select, setNotice, session } = scene;
  const [card, setCard] = useState<OpenCard | null>(null);
  const editable = data.can_edit ? data.columns.filter((column) => !column.read_only && column.editor !== "none" && !isMirror(column)) : [];
  const [stage, owner] = [data.stage_column, data.owner_column].map((id) => editable.find((column) => column.id === id) ?? null);
  const openCard = (label: string, fixed: Column | null) => ({ currentTarget }: MouseEvent): void => {
    const { left, top } = currentTarget.getBoundingClientRect();
    setCard({ label, fixed, position: { x: left, y: top - 190 } });
  };
  const run = (act: () => string | null) => (): void => {
    const reason = act();
    if (reason) setNotice(reason);
  };
  return (
    <div className="cg-strip" role="toolbar" aria-label="Selected rows" data-testid="grid-bulk">
      <span className="cg-count">{lines.length.toLocaleString(context.formats.locale)} selected</span>
      {editable.length > 0 && <button className="cg-link" data-testid="bulk-set" onClick={openCard("Set a value", null)}>Set value…</button>}
      {stage && <button className="cg-link" data-testid="bulk-stage" onClick={openCard("Move to a stage", stage)}>Move stage…</button>}
      {owner && <button className="cg-link" data-testid="bulk-owner" onClick={openCard("Reassign", owner)}>Reassign…</button>}
      {data.can_add && <button className="cg-link" data-testid="bulk-duplicate" onClick={run(() => duplicate(actions, lines, data.columns))}>Duplicate</button>}
      {data.can_export && session.link === null && <button className="cg-link" data-testid="bulk-export" onClick={run(() => exportRows(actions, lines, columns))}>Export</button>}
      {remove && <button className="cg-link cg-danger" data-testid="grid-delete" onClick={remove}>Delete {lines.length.toLocaleString()} {lines.length === 1 ? "row" : "rows"}</button>}
      <button className="cg-link" onClick={() => select(NOTHING)}>Deselect</button>
      {card && (
        <ValueCard {...card} rows={lines.length} columns={editable} context={context} portal={portal} close={() => setCard(null)}
          write={(column, input) => setValue(actions, lines, column, input)} />
      )}
    </div>
  );
}
