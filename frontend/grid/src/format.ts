// Values as people read them. Numbers stay decimal strings all the way: no binary float ever touches them.

import type { Column, Formats, Input, Wire } from "./types";

/** Formats a decimal string exactly, with the column's decimals and currency. */
export function formatNumber(value: string, column: Column, locale: string): string {
  const { currency, decimals } = column.rules;
  const there = value.split(".")[1]?.length ?? 0;
  const unit: Intl.NumberFormatOptions =
    column.type === "percent"
      ? { style: "unit", unit: "percent" }
      : currency ? { style: "currency", currency, currencyDisplay: "narrowSymbol" } : {};
  const usual = decimals ?? (currency ? new Intl.NumberFormat("en", unit).resolvedOptions().minimumFractionDigits : 0);
  const digits = { minimumFractionDigits: usual ?? 0, maximumFractionDigits: Math.max(usual ?? 0, there) };
  // A string is formatted digit by digit (ECMA-402 since 2023); the types know only numbers yet.
  return formatter(locale, { ...unit, ...digits }).format(value as unknown as number);
}

const formatters = new Map<string, Intl.NumberFormat>();

function formatter(locale: string, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = locale + JSON.stringify(options);
  let found = formatters.get(key);
  if (!found) formatters.set(key, (found = new Intl.NumberFormat(locale, options)));
  return found;
}

/** A date in the user's pattern of YYYY, MM, DD, M, D and MMM. A date is no instant: no time zone is involved. */
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

/** An instant as the local date and time of the time zone, in ISO order: "2026-12-31 11:00". */
export function localTime(iso: string, timeZone: string): string {
  const instant = new Date(iso);
  if (Number.isNaN(instant.getTime())) return iso;
  const format = new Intl.DateTimeFormat("en-CA", {
    timeZone, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
  });
  const part = Object.fromEntries(format.formatToParts(instant).map(({ type, value }) => [type, value]));
  return `${part.year}-${part.month}-${part.day} ${part.hour}:${part.minute}`;
}

/** Today, where the workspace is. */
export function today(timeZone: string): string {
  return localTime(new Date().toISOString(), timeZone).slice(0, 10);
}

export interface Context {
  formats: Formats;
  people: Record<string, string>;
}

const NUMBERS = new Set(["number", "money", "percent"]);
export const isNumber = (column: Column): boolean => NUMBERS.has(column.type);

/** A value as the cell shows it. */
export function shown(value: Wire, column: Column, context: Context): string {
  if (value === null) return "";
  if (typeof value === "string" && isNumber(column)) return formatNumber(value, column, context.formats.locale);
  if (typeof value === "string" && column.type === "date") return formatDate(value, context.formats);
  if (typeof value === "string" && column.type === "datetime") {
    const [date = "", time = ""] = localTime(value, context.formats.time_zone).split(" ");
    return `${formatDate(date, context.formats)} ${time}`.trim();
  }
  return plainText(value, column, context);
}

/** A value as one copies it, edits it and gives it to other programs: decimal point, ISO dates, labels. */
export function plainText(value: Wire, column: Column, { people, formats }: Context): string {
  if (value === null) return "";
  if (typeof value === "boolean") return value ? "true" : "false";
  if (Array.isArray(value)) return value.map((id) => quotedLabel(label(id, column))).join(", ");
  if (column.type === "choice") return label(value, column);
  if (column.type === "person") return people[value] ?? value;
  if (column.type === "datetime") return localTime(value, formats.time_zone);
  return value;
}

/** What stands in a cell while the input waits: a picked value as it will look, typed text as it was typed. */
export function shownInput(input: Input, column: Column, context: Context): string {
  return "text" in input ? input.text : shown(input.value, column, context);
}

export function label(id: string, column: Column): string {
  return column.options.find((option) => option.id === id)?.label ?? id;
}

/** A label that holds the separator is quoted, so that the list can be read back. */
function quotedLabel(text: string): string {
  return /[,;"\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
