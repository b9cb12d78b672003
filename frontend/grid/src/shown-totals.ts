// Totals as text.

import { displayText, isNumber, type Context } from "../../sheet/src/format";
import type { CellValue, Column, TotalFunction } from "../../sheet/src/types";

const COUNTS: ReadonlySet<TotalFunction> = new Set(["filled", "empty", "unique"]);

/** A total as the footer shows it: counts as whole numbers, others as the cells of the column. */
export function displayTotal(value: CellValue | number, column: Column, name: TotalFunction, context: Context): string {
  if (typeof value === "number") return COUNTS.has(name) ? value.toLocaleString(context.formats.locale) : displayText(String(value), column, context);
  if (typeof value !== "string") return "";
  return displayText(isNumber(column) ? trimmed(value) : value, column, context);
}

/** Without zeros at the end: the column adds those that it shows. */
const trimmed = (value: string): string => (value.includes(".") ? value.replace(/\.?0+$/, "") : value);
