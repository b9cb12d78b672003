// The traits of the column types, as core.column_types gives them to the grid.

import type { NewTypes, Traits } from "../src/types";

const TEXT: Traits = { form: "string", ids_of: null, scheme: "", is_multiline: false, icon: "title", width: 140 };

const TRAITS: Record<string, Traits> = {
  text: TEXT,
  long_text: { ...TEXT, is_multiline: true },
  number: { ...TEXT, form: "decimal" },
  money: { ...TEXT, form: "currency" },
  percent: { ...TEXT, form: "percentage" },
  choice: { ...TEXT, ids_of: "options" },
  choices: { ...TEXT, form: "strings", ids_of: "options" },
  date: { ...TEXT, form: "day" },
  datetime: { ...TEXT, form: "instant" },
  checkbox: { ...TEXT, form: "boolean" },
  person: { ...TEXT, ids_of: "people" },
};

export const NEW_TYPES: NewTypes = { line: "text", lines: "long_text", decimal: "number", day: "date", instant: "datetime" };

export function traitsOf(type: string): Traits {
  const traits = TRAITS[type];
  if (!traits) throw new Error(`no traits of the type ${type}`);
  return traits;
}
