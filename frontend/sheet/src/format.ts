// Values as text. Numbers stay decimal strings and are never converted to binary floats.

import type { Column, Formats, Input, CellValue, RelatedRow } from "./types";

/** Whether the cells are stored in another sheet: an edit names what it adds and removes. */
export const isMirror = (column: Column): boolean => column.is_computed === true && !column.read_only;

/** Formats a decimal string exactly, with the column's decimals and currency. */
export function formatNumber(value: string, column: Column, locale: string): string {
  const { currency, decimals } = column.rules;
  const decimalCount = value.split(".")[1]?.length ?? 0;
  const unit: Intl.NumberFormatOptions =
    column.form === "percentage"
      ? { style: "unit", unit: "percent" }
      : currency ? { style: "currency", currency, currencyDisplay: "narrowSymbol" } : {};
  const minimum = decimals ?? (currency ? new Intl.NumberFormat("en", unit).resolvedOptions().minimumFractionDigits : 0);
  const digits = { minimumFractionDigits: minimum ?? 0, maximumFractionDigits: Math.max(minimum ?? 0, decimalCount) };
  // A string is formatted digit by digit (ECMA-402 since 2023); the types know only numbers yet.
  return formatter(locale, { ...unit, ...digits }).format(value as unknown as number);
}

const formatters = new Map<string, Intl.NumberFormat>();

function formatter(locale: string, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = locale + JSON.stringify(options);
  let format = formatters.get(key);
  if (!format) formatters.set(key, (format = new Intl.NumberFormat(locale, options)));
  return format;
}

/** A date in the user's pattern of YYYY, MM, DD, M, D and MMM. Dates have no time zone. */
export function formatDate(iso: string, { date, locale }: Formats): string {
  const [year, month, day] = iso.split("-");
  if (!year || !month || !day) return iso;
  const parts: Record<string, () => string> = {
    YYYY: () => year,
    MMM: () => monthName(Number(month), locale),
    MM: () => month,
    DD: () => day,
    M: () => String(Number(month)),
    D: () => String(Number(day)),
  };
  return date.replace(/YYYY|MMM|MM|DD|M|D/g, (token) => parts[token]?.() ?? token);
}

function monthName(month: number, locale: string): string {
  return new Intl.DateTimeFormat(locale, { month: "short", timeZone: "UTC" }).format(Date.UTC(2024, month - 1, 15));
}

/** The time zone of a column of instants, in which all users type and see its times. */
export function clockOf(column: Column): string {
  return column.rules.time_zone ?? "UTC";
}

/** An instant as the local date and time of the time zone, in ISO order: "2026-12-31 11:00". */
export function localTime(iso: string, timeZone: string): string {
  return exactTime(iso, timeZone).slice(0, 16);
}

/** An instant as local date and time with seconds: "2026-12-31 11:00:00". */
function exactTime(iso: string, timeZone: string): string {
  const instant = new Date(iso);
  if (Number.isNaN(instant.getTime())) return iso;
  const parts = Object.fromEntries(clock(timeZone).formatToParts(instant).map(({ type, value }) => [type, value]));
  return `${parts.year}-${parts.month}-${parts.day} ${parts.hour}:${parts.minute}:${parts.second}`;
}

const clocks = new Map<string, Intl.DateTimeFormat>();

function clock(timeZone: string): Intl.DateTimeFormat {
  let format = clocks.get(timeZone);
  if (!format) {
    clocks.set(timeZone, (format = new Intl.DateTimeFormat("en-CA", {
      timeZone, year: "numeric", month: "2-digit", day: "2-digit",
      hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
    })));
  }
  return format;
}

/** An instant as it can be typed again: with seconds if they are not zero, with the offset where an hour is repeated. */
function typedTime(iso: string, timeZone: string): string {
  const instant = Date.parse(iso), exact = exactTime(iso, timeZone);
  if (Number.isNaN(instant)) return iso;
  const isRepeated = [-1, -0.5, 0.5, 1].some((hours) => exactTime(shifted(instant, hours), timeZone) === exact);
  return `${exact.replace(/(:\d\d):00$/, "$1")}${isRepeated ? offset(exact, instant) : ""}`;
}

const shifted = (instant: number, hours: number): string => new Date(instant + hours * 3_600_000).toISOString();

/** The UTC offset of a local time: "+02:00". */
function offset(exact: string, instant: number): string {
  const minutes = Math.round((Date.parse(`${exact.replace(" ", "T")}Z`) - instant) / 60_000);
  const twoDigits = (number: number): string => String(Math.trunc(number)).padStart(2, "0");
  return `${minutes < 0 ? "-" : "+"}${twoDigits(Math.abs(minutes) / 60)}:${twoDigits(Math.abs(minutes) % 60)}`;
}

/** Today's date in this time zone. */
export function today(timeZone: string): string {
  return localTime(new Date().toISOString(), timeZone).slice(0, 10);
}

export interface Context {
  formats: Formats;
  people: Record<string, string>;
  /** The names are still being read: a missing name may be added. */
  peoplePending?: boolean;
  onMissingName?: () => void;
  /** The id of the current user, if they are signed in. */
  me?: string;
}

const NUMBERS: ReadonlySet<string> = new Set<Column["form"]>(["decimal", "currency", "percentage"]);
export const isNumber = (column: Pick<Column, "form">): boolean => NUMBERS.has(column.form);

/** Dates and instants. */
export const isDate = ({ form }: Pick<Column, "form">): boolean => form === "day" || form === "instant";

/** The reason for which a computed cell has no value, or null. */
export const errorOf = (value: CellValue): string | null =>
  value !== null && typeof value === "object" && "error" in value ? value.error : null;

/** A value as the cell shows it. */
export function displayText(value: CellValue, column: Column, context: Context): string {
  if (value === null) return "";
  if (typeof value === "string" && isNumber(column)) return formatNumber(value, column, context.formats.locale);
  if (typeof value === "string" && column.form === "day") return formatDate(value, context.formats);
  if (typeof value === "string" && column.form === "instant") {
    const [date = "", time = ""] = localTime(value, clockOf(column)).split(" ");
    return `${formatDate(date, context.formats)} ${time}`.trim();
  }
  return plainText(value, column, context);
}

/** A decimal number that every column reads as this number: with three decimals a zero is added. */
export function unambiguous(value: string): string {
  return /\.\d{3}$/.test(value) ? `${value}0` : value;
}

/** A value as its editor shows it: written as this column reads it. */
export function editorText(value: CellValue, column: Column, context: Context): string {
  if (typeof value !== "string" || !isNumber(column)) return plainText(value, column, context);
  const { number_format: format } = column.rules;
  if (format === "1.234,56") return value.replace(".", ",");
  return format === "1,234.56" ? value : unambiguous(value);
}

/** A value as copied text: decimal point, ISO dates, labels. Every column and other programs can read it. */
export function plainText(value: CellValue, column: Column, { people }: Context): string {
  if (value === null) return "";
  const error = errorOf(value);
  if (error !== null) return `#ERROR ${error}`;
  if (typeof value === "boolean") return value ? "true" : "false";
  if (column.ids_of === "rows") return relatedRows(value).map(({ title }) => quotedLabel(title)).join(", ");
  if (Array.isArray(value)) return idsIn(value).map((id) => quotedLabel(label(id, column))).join(", ");
  if (typeof value === "object") return "";
  if (column.ids_of === "options") return label(value, column);
  if (column.ids_of === "people") return people[value] ?? value;
  if (column.form === "instant") return typedTime(value, clockOf(column));
  return isNumber(column) ? unambiguous(value) : value;
}

/** The text of a pending input: a picked value formatted, typed text unchanged. */
export function displayInput(input: Input, column: Column, context: Context): string {
  return "text" in input ? input.text : displayText(input.value, column, context);
}

/** The rows that a cell of a relation names. */
export function relatedRows(value: CellValue): RelatedRow[] {
  if (value === null || typeof value !== "object") return [];
  if (!Array.isArray(value)) return "shown" in value ? value.shown : [];
  return value.map((item) => (typeof item === "string" ? { id: item, title: `Row ${item}` } : item));
}

/** The ids in a list of options. */
export const idsIn = (value: CellValue): string[] =>
  Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : [];

export function label(id: string, column: Column): string {
  return column.options.find((option) => option.id === id)?.label ?? id;
}

/** A label that holds the separator is quoted, so that the list can be read back. */
export function quotedLabel(text: string): string {
  return /[,;"\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
