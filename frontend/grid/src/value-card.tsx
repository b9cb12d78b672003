// The card that writes one value into a column of the ticked rows.

import { useState, type ReactElement } from "react";
import { Card } from "./card";
import { everyPick } from "./editors/picks";
import type { MenuPosition } from "./menus";
import { isDate, isNumber, type Context } from "../../sheet/src/format";
import type { Column, Input } from "../../sheet/src/types";

interface ValueCardProps {
  rows: number;
  columns: Column[];
  /** The column that is set, where the action names it. */
  fixed: Column | null;
  context: Context;
  label: string;
  position: MenuPosition;
  portal: Element;
  close: () => void;
  write: (column: Column, input: Input) => string | null;
}

export function ValueCard({ rows, columns, fixed, context, label, position, portal, close, write }: ValueCardProps): ReactElement {
  const [id, setId] = useState(fixed?.id ?? columns[0]?.id ?? 0);
  const [text, setText] = useState("");
  const column = fixed ?? columns.find((candidate) => candidate.id === id);
  const save = (): string | null => (column ? write(column, inputOf(column, text)) : "This sheet has no column that you may change.");
  return (
    <Card label={label} position={position} portal={portal} close={close} act={save}
      action={`${text === "" ? "Empty" : "Set"} ${rows.toLocaleString()} ${rows === 1 ? "cell" : "cells"}`}>
      {!fixed && (
        <label>Column
          <select value={id} data-testid="bulk-column" onChange={(event) => { setId(Number(event.target.value)); setText(""); }}>
            {columns.map((each) => <option key={each.id} value={each.id}>{each.name}</option>)}
          </select>
        </label>
      )}
      {column && <label>{fixed ? column.name : "Value"}<Field column={column} context={context} text={text} set={setText} /></label>}
    </Card>
  );
}

function Field({ column, context, text, set }: { column: Column; context: Context; text: string; set: (text: string) => void }): ReactElement {
  const options = column.form === "boolean" ? [{ id: "true", label: "Ticked" }, { id: "false", label: "Not ticked" }] : column.ids_of && column.ids_of !== "rows" ? everyPick(column, context) : null;
  if (options) {
    return (
      <select value={text} data-testid="bulk-value" onChange={(event) => set(event.target.value)}>
        <option value="">(empty)</option>
        {options.map(({ id, label }) => <option key={id} value={id}>{label}</option>)}
      </select>
    );
  }
  const inputType = column.form === "day" ? "date" : "text";
  return (
    <input type={inputType} value={text} data-testid="bulk-value" inputMode={isNumber(column) ? "decimal" : undefined}
      placeholder={isDate(column) && inputType === "text" ? "2026-12-31 09:00" : undefined} onChange={(event) => set(event.target.value)} />
  );
}

/** A chosen id or a typed text as the input of a cell. */
function inputOf(column: Column, text: string): Input {
  if (text === "") return { value: null };
  if (column.form === "boolean") return { value: text === "true" };
  if (column.ids_of && column.ids_of !== "rows") return { value: column.form === "strings" ? [text] : text };
  return { text };
}
