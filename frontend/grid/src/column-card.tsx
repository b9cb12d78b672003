// The card of a column: name and type of a new one, or name and description of one that is there.

import { useState, type ReactElement } from "react";
import { Card } from "./card";
import type { MenuPosition } from "./menus";
import { Problem } from "../../sheet/src/api";
import type { SheetSession } from "../../sheet/src/session";
import type { Column, ColumnKind } from "../../sheet/src/types";

export interface ColumnCardProps {
  session: SheetSession;
  /** The column to change; null for a new one. */
  column: Column | null;
  kinds: ColumnKind[];
  position: MenuPosition;
  portal: Element;
  close: () => void;
  /** The columns have changed: the page reads them again. */
  changed: (added: number | null) => void;
}

export function ColumnCard({ session, column, kinds, position, portal, close, changed }: ColumnCardProps): ReactElement {
  const [name, setName] = useState(column?.name ?? "");
  const [description, setDescription] = useState(column?.description ?? "");
  const [type, setType] = useState(kinds[0]?.name ?? "");
  const [choices, setChoices] = useState("");
  const kind = kinds.find((candidate) => candidate.name === type);
  const save = async (): Promise<string | null> => {
    try {
      if (column) await session.api.request(`${session.path}/columns/${column.id}`, { method: "PATCH", body: { name, description } });
      const options = kind?.has_options ? optionsOf(choices) : [];
      const added = column ? null : await session.api.request<Column>(`${session.path}/columns`, { method: "POST", body: { name, type, options } });
      changed(added?.id ?? null);
      return null;
    } catch (error) {
      return error instanceof Problem ? error.message : "The column could not be saved. Try again.";
    }
  };
  return (
    <Card label={column ? `Column ${column.name}` : "New column"} position={position} portal={portal} close={close} action={column ? "Save" : "Add column"} act={save}>
      <label>Name<input value={name} required maxLength={100} data-testid="column-name" onChange={(event) => setName(event.target.value)} /></label>
      {!column && (
        <label>Type
          <select value={type} data-testid="column-type" onChange={(event) => setType(event.target.value)}>
            {kinds.map((each) => <option key={each.name} value={each.name}>{each.label}</option>)}
          </select>
        </label>
      )}
      {!column && kind?.has_options && (
        <label>Choices<textarea rows={3} value={choices} placeholder="One on each line" data-testid="column-choices" onChange={(event) => setChoices(event.target.value)} /></label>
      )}
      {column && <label>Description<textarea rows={2} value={description} onChange={(event) => setDescription(event.target.value)} /></label>}
    </Card>
  );
}

const COLORS = ["blue", "green", "violet", "orange", "yellow", "red", "gray"];

/** The options that these lines name, each with a colour. */
export function optionsOf(text: string): { id: string; label: string; color: string }[] {
  const labels = [...new Set(text.split(/\r?\n/).map((line) => line.trim()).filter(Boolean))];
  return labels.map((label, index) => ({ id: `o${index + 1}`, label, color: COLORS[index % COLORS.length] ?? "gray" }));
}
