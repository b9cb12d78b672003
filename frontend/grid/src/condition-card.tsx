// The card of a condition on a column: of the filter, or of a colour.

import { useState, type ReactElement, type ReactNode } from "react";
import { Card } from "./card";
import { everyPick } from "./editors/picks";
import type { MenuPosition } from "./menus";
import { isDate, isNumber, type Context } from "../../sheet/src/format";
import type { Condition } from "../../sheet/src/filter";
import type { Column, ColumnFilter } from "../../sheet/src/types";

export interface ConditionCardProps {
  column: Column;
  context: Context;
  label: string;
  action: string;
  position: MenuPosition;
  portal: Element;
  close: () => void;
  act: (condition: Condition) => void;
  children?: ReactNode;
}

export function ConditionCard({ column, context, act, children, ...card }: ConditionCardProps): ReactElement {
  // The rows of another sheet are too many to choose from here.
  const filters = (column.filters ?? []).filter(({ takes }) => takes !== "many" || column.ids_of !== "rows");
  const [op, setOp] = useState(filters[0]?.op ?? "");
  const [values, setValues] = useState<string[]>([]);
  const filter = filters.find((candidate) => candidate.op === op);
  const submit = (): string | null => {
    if (!filter) return "This column has no filters.";
    const value = valueOf(filter, values);
    if (value === undefined) return "Choose a value first.";
    act({ column: column.id, op, ...(value !== null && { value }) });
    return null;
  };
  return (
    <Card {...card} act={submit}>
      <label>{column.name}
        <select value={op} data-testid="condition-op" onChange={(event) => setOp(event.target.value)}>
          {filters.map((each) => <option key={each.op} value={each.op}>{each.label}</option>)}
        </select>
      </label>
      {filter && <Values column={column} context={context} takes={filter.takes} values={values} set={setValues} />}
      {children}
    </Card>
  );
}

/** The value of a condition; null where it takes none, undefined where one is missing. */
function valueOf({ takes }: ColumnFilter, values: string[]): unknown {
  const filled = values.filter(Boolean);
  if (takes === "none") return null;
  if (takes === "many") return filled.length > 0 ? filled : undefined;
  if (takes === "two") return filled.length === 2 ? filled : undefined;
  return filled[0];
}

interface ValuesProps {
  column: Column;
  context: Context;
  takes: ColumnFilter["takes"];
  values: string[];
  set: (values: string[]) => void;
}

function Values({ column, context, takes, values, set }: ValuesProps): ReactElement | null {
  if (takes === "none") return null;
  if (takes === "many" && column.ids_of) {
    const toggle = (id: string): void => set(values.includes(id) ? values.filter((other) => other !== id) : [...values, id]);
    return (
      <fieldset className="cg-checks">
        <legend>Values</legend>
        {everyPick(column, context).map(({ id, label }) => (
          <label key={id}><input type="checkbox" checked={values.includes(id)} onChange={() => toggle(id)} />{label}</label>
        ))}
      </fieldset>
    );
  }
  const labels = takes === "two" ? ["From", "To"] : ["Value"];
  const inputType = isDate(column) ? "date" : "text";
  return (
    <>
      {labels.map((label, index) => (
        <label key={label}>{label}
          <input type={inputType} inputMode={isNumber(column) ? "decimal" : undefined} value={values[index] ?? ""} data-testid={`condition-value-${index}`}
            onChange={(event) => set(labels.map((_, at) => (at === index ? event.target.value : (values[at] ?? ""))))} />
        </label>
      ))}
    </>
  );
}
