// What would fit in a cell whose typed value was refused: entries of its list, or other ways to write a number or a date.

import type { Column } from "./types";
import { isDate, isNumber } from "./format";
import { typedDay } from "./typed-date";

const MAX_OFFERED = 3;


/** The texts that the column takes and that are close to the refused one; the best first. */
export function fitting(text: string, column: Column, entries: readonly string[], today: string): string[] {
  if (column.ids_of) return closest(text, entries);
  if (isNumber(column)) return numbers(text);
  if (isDate(column)) return days(text, today);
  if (column.scheme === "https" && !/^https?:/i.test(text) && text.includes(".")) return [`https://${text.trim()}`];
  return [];
}

/** The entries that differ from the text in a few letters, or share its beginning. */
function closest(text: string, entries: readonly string[]): string[] {
  const typed = plain(text);
  const ranked = entries.map((entry) => ({ entry, distance: distanceOf(typed, plain(entry)) }));
  return ranked.filter(({ entry, distance }) => distance <= Math.max(1, Math.floor(plain(entry).length / 3)))
    .sort((a, b) => a.distance - b.distance).slice(0, MAX_OFFERED).map(({ entry }) => entry);
}

const plain = (text: string): string => text.normalize("NFD").replace(/\p{M}/gu, "").trim().toLowerCase();

/** The number of letters to change, add or leave out, less where one text begins with the other. */
function distanceOf(a: string, b: string): number {
  if (a.length >= 2 && (b.startsWith(a) || a.startsWith(b))) return 0;
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      next.push(Math.min((next[j] ?? 0) + 1, (row[j + 1] ?? 0) + 1, (row[j] ?? 0) + (letter === b[j] ? 0 : 1)));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

/** The numbers that a text can be read as: 1.234 is one thousand or one and a fraction. */
function numbers(text: string): string[] {
  const digits = /-?\d[\d.,' \u00a0\u202f]*/.exec(text)?.[0].trim().replace(/[.,]$/, "") ?? "";
  if (!digits) return [];
  const mark = /([.,])(\d+)$/.exec(digits.replace(/[' \u00a0\u202f]/g, ""));
  const whole = digits.replace(/[^\d-]/g, "");
  const offers = mark ? [`${digits.slice(0, digits.lastIndexOf(mark[1] ?? "")).replace(/[^\d-]/g, "")}.${mark[2]}${mark[2]?.length === 3 ? "0" : ""}`] : [];
  if (!mark || mark[2]?.length === 3) offers.push(whole);
  return [...new Set(offers)].filter((offer) => offer !== text.trim());
}

/** The days that a text can be read as, with the day or the month first. */
function days(text: string, today: string): string[] {
  const read = [false, true].map((isMonthFirst) => typedDay(text, today, isMonthFirst)?.day ?? null);
  return [...new Set(read)].filter((day) => day !== null && day !== text.trim()) as string[];
}
