// A value on its way from one cell to another: exactly where both columns mean the same, else as text with its unit.

import { certain, isNumber, quotedLabel } from "../../sheet/src/format";
import { dateText, numberText } from "./spreadsheet-values";
import type { Pasted } from "./html-table";
import type { Column, Input, Wire } from "../../sheet/src/types";

/** What has to be known of a column to read its values elsewhere. */
export type Origin = Pick<Column, "id" | "type" | "rules">;

/** Their values mean the same in every column of the type, whatever its rules. */
const SAME_EVERYWHERE = new Set(["date", "datetime", "checkbox", "person"]);
const MOMENTS = new Set(["date", "datetime"]);

/** The input that gives `to` the value of `from`, whose plain text is `plain`. The server refuses what `to` cannot hold. */
export function carried(value: Wire, plain: string, from: Origin, to: Column): Input {
  if (value === null || from.id === to.id || (from.type === to.type && SAME_EVERYWHERE.has(to.type))) return { value };
  if (typeof value === "string" && isNumber(from)) return carriedNumber(value, from, to);
  if (from.type === "choice" && to.type === "choices") return { text: quotedLabel(plain) };
  const isOne = Array.isArray(value) && value.length === 1 && to.type !== "choices";
  return { text: isOne ? unquoted(plain) : plain };
}

/** A number without a unit is one in every column; money and percentages keep theirs, and are refused elsewhere. */
function carriedNumber(value: string, from: Origin, to: Column): Input {
  if (!isNumber(to)) return { text: value };
  const unit = unitOf(from);
  return !unit || unit === unitOf(to) ? { value } : { text: `${certain(value)} ${unit}` };
}

function unitOf({ type, rules }: Origin): string {
  return type === "percent" ? "%" : (type === "money" && rules.currency) || "";
}

function unquoted(label: string): string {
  return label.startsWith('"') ? label.slice(1, -1).replaceAll('""', '"') : label;
}

/** The input that a pasted cell is in this column of this sheet. */
export function inputOf(cell: Pasted, to: Column, sheet: number): Input {
  const { own } = cell;
  if (own) {
    const id = own.sheet === sheet ? own.column.id : -1;
    const isText = typeof own.value === "string" && !isNumber(own.column) && own.value.trim() === cell.text;
    return carried(own.value, isText ? String(own.value) : cell.text, { ...own.column, id }, to);
  }
  if (cell.text === "") return { value: null };
  if (isNumber(to)) return { text: numberText(cell, to) };
  return { text: (MOMENTS.has(to.type) && dateText(cell)) || cell.text };
}

/** The column that can hold all of these cells. */
export function columnFor(cells: readonly Pasted[]): { type: string; rules: Column["rules"] } {
  const kinds = new Map(cells.filter(({ text }) => text !== "").map(kindOf).map((kind) => [JSON.stringify(kind), kind]));
  const [only] = kinds.values();
  if (only && kinds.size === 1) return only;
  return { type: cells.some(({ text }) => text.includes("\n")) ? "long_text" : "text", rules: {} };
}

function kindOf(cell: Pasted): { type: string; rules: Column["rules"] } {
  const { type, rules } = cell.own?.column ?? { type: "", rules: {} };
  if (type && type !== "choice" && type !== "choices") return { type, rules };
  const date = dateText(cell);
  if (date) return { type: date.includes(":") ? "datetime" : "date", rules: {} };
  const isPlain = cell.number !== undefined && /^-?[\d.,' \u202f’]+$/.test(cell.text);
  return { type: isPlain ? "number" : cell.text.includes("\n") ? "long_text" : "text", rules: {} };
}
