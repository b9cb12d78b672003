// A row on a phone, over the whole screen: every field can be read and edited.

import { useRef, useState, type ReactElement } from "react";
import { createPortal } from "react-dom";
import { editingFor, write } from "./editing";
import type { Editing, EditorProps } from "./editors/editor";
import { EditorOverlay, type Bounds } from "./editors/overlay";
import { relatedSource } from "./related-source";
import { cellLook, Fact } from "./row-cards";
import type { Scene } from "./scene";
import { RejectedEditText } from "../../sheet/src/rejected-edit";
import type { Line } from "../../sheet/src/lines";
import type { Column, RowRef } from "../../sheet/src/types";

interface RowPanelProps {
  scene: Scene;
  /** The row's id, or the key of a new one. */
  opened: RowRef;
  portal: Element;
  close: () => void;
}

export function RowPanel({ scene, opened, portal, close }: RowPanelProps): ReactElement {
  const { data, session, view, context, palette, grid, trigger } = scene;
  const row = (typeof opened === "string" && session.outbox.rowOf(opened)) || opened;
  const [field, setField] = useState<{ editing: Editing; bounds: Bounds } | null>(null);
  const done: EditorProps["done"] = (input) => {
    if (field && input) write(scene.actions, field.editing, input);
    setField(null);
  };
  const isRemoved = typeof row === "number" && view.reader.rows.get(row)?.removed;
  const canEdit = (typeof row === "string" ? data.can_add : data.can_edit) && !isRemoved;
  const remove = (): void => {
    if (typeof row === "number") session.write([], [row]);
    else session.discard([{ kind: "refused", row, column: null, input: { value: null }, reason: "", base: null }]);
    close();
  };
  const edit = (column: Column, element: Element): void => {
    const { x, y, width, height } = element.getBoundingClientRect();
    const editing = editingFor(scene.actions, row, column);
    if (column.form === "boolean") write(scene.actions, editing, { value: editing.value !== true });
    else setField({ editing, bounds: { x, y, width, height } });
  };
  const line: Line = typeof row === "number" ? { kind: "row", id: row } : { kind: "draft", key: row };
  const [first] = data.columns;
  return createPortal(
    <div className="cg-row-panel" role="dialog" aria-modal aria-label="Row" data-testid="grid-row-panel">
      <header>
        <strong>{(first && cellLook(scene, line, row, first).text) || "New row"}</strong>
        <button onClick={close} data-testid="row-close">Close</button>
      </header>
      <div className="cg-fields">
        {data.columns.map((column) => (
          <Field key={column.id} scene={scene} line={line} row={row} column={column} edit={canEdit && !column.read_only && column.editor !== "none" ? edit : null} />
        ))}
      </div>
      <footer>
        {typeof row === "number" && session.link === null && <button data-testid="row-more" onClick={() => { close(); trigger("open", row); }}>Comments and history</button>}
        {data.can_delete && !isRemoved && <button className="cg-danger" onClick={remove}>Delete row</button>}
      </footer>
      {field && (
        <EditorOverlay key={field.editing.column.id} editing={field.editing} context={context} palette={palette} done={done} bounds={field.bounds}
          portal={portal} grid={grid} note={null} related={relatedSource(session)} />
      )}
    </div>,
    portal,
  );
}

interface FieldProps {
  scene: Scene;
  line: Line;
  row: RowRef;
  column: Column;
  edit: ((column: Column, element: Element) => void) | null;
}

function Field({ scene, line, row, column, edit }: FieldProps): ReactElement {
  const { session, context } = scene;
  const value = useRef<HTMLButtonElement>(null);
  const cell = cellLook(scene, line, row, column);
  const rejected = session.outbox.cell(row, column.id)?.rejected;
  return (
    <div className="cg-field-line">
      <span className="cg-what">{column.name}</span>
      {edit
        ? <button ref={value} aria-label={`${column.name}: ${cell.text || "empty"}`} data-testid={`row-field-${column.id}`} onClick={({ currentTarget }) => edit(column, currentTarget)}><Fact cell={cell} /></button>
        : <span className="cg-value"><Fact cell={cell} /></span>}
      {rejected && (
        <div className={`cg-issue cg-${rejected.kind}`} role="status">
          <RejectedEditText edit={rejected} column={column} context={context} keepMine={() => session.keepMine([rejected])}
            sendAgain={() => session.sendAgain([rejected])} drop={() => session.discard([rejected])} />
        </div>
      )}
    </div>
  );
}
