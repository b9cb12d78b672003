// Converts a value from one column to another: exactly where both have one meaning, else as text with its unit.

import { unambiguous, isDate, isNumber, quotedLabel } from "../../sheet/src/format";
import { dateText, numberText } from "./spreadsheet-values";
import type { Pasted } from "./html-table";
import type { Column, Input, NewTypes, CellValue } from "../../sheet/src/types";

/** The properties of a column that are needed to read its values elsewhere. */
export type Origin = Pick<Column, "id" | "type" | "rules" | "form" | "ids_of">;

/** Whether a value has one meaning in all columns of its type, independent of their rules. */
const isPortable = (column: Column): boolean =>
  isDate(column) || column.form === "boolean" || column.ids_of === "people";

/** The input that gives `to` the value of `from`, whose plain text is `plain`. The server refuses what `to` cannot hold. */
export function convertValue(value: CellValue, plain: string, from: Origin, to: Column): Input {
  if (value === null || from.id === to.id || (from.type === to.type && isPortable(to))) return { value };
  if (typeof value === "string" && isNumber(from)) return convertNumber(value, from, to);
  const isList = to.form === "strings";
  if (from.ids_of === "options" && from.form !== "strings" && isList) return { text: quotedLabel(plain) };
  const isOne = Array.isArray(value) && value.length === 1 && !isList;
  return { text: isOne ? unquoted(plain) : plain };
}

/** A number without a unit fits every number column; currencies and percentages keep their unit. */
function convertNumber(value: string, from: Origin, to: Column): Input {
  if (!isNumber(to)) return { text: value };
  const unit = unitOf(from);
  return !unit || unit === unitOf(to) ? { value } : { text: `${unambiguous(value)} ${unit}` };
}

function unitOf({ form, rules }: Origin): string {
  return form === "percentage" ? "%" : (form === "currency" && rules.currency) || "";
}

function unquoted(label: string): string {
  return label.startsWith('"') ? label.slice(1, -1).replaceAll('""', '"') : label;
}

/** The input that a pasted cell becomes in this column of this sheet. */
export function inputOf(cell: Pasted, column: Column, sheet: number): Input {
  const { own } = cell;
  if (own) {
    const id = own.sheet === sheet ? own.column.id : -1;
    const isText = typeof own.value === "string" && !isNumber(own.column) && own.value.trim() === cell.text;
    return convertValue(own.value, isText ? String(own.value) : cell.text, { ...own.column, id }, column);
  }
  if (cell.text === "") return { value: null };
  if (isNumber(column)) return { text: numberText(cell, column) };
  return { text: (isDate(column) && dateText(cell)) || cell.text };
}

/** The column that can hold all of these cells. */
export function columnFor(cells: readonly Pasted[], types: NewTypes): NewColumn {
  const needed = cells.filter(({ text }) => text !== "").map((cell) => columnOf(cell, types));
  const columns = new Map(needed.map((column) => [JSON.stringify(column), column]));
  const [only] = columns.values();
  if (only && columns.size === 1) return only;
  return { type: cells.some(({ text }) => text.includes("\n")) ? types.lines : types.line, rules: {} };
}

type NewColumn = Pick<Column, "type" | "rules">;

function columnOf(cell: Pasted, types: NewTypes): NewColumn {
  const origin = cell.own?.column;
  if (origin && origin.ids_of !== "options") return { type: origin.type, rules: origin.rules };
  const date = dateText(cell);
  if (date) return { type: date.includes(":") ? types.instant : types.day, rules: {} };
  const isPlain = cell.number !== undefined && /^-?[\d.,' \u202f’]+$/.test(cell.text);
  return { type: isPlain ? types.decimal : cell.text.includes("\n") ? types.lines : types.line, rules: {} };
}
