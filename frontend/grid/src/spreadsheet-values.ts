// The exact numbers and days behind what a spreadsheet shows.

import { unambiguous } from "../../sheet/src/format";
import type { Pasted } from "./html-table";
import type { Column } from "../../sheet/src/types";

const MAX_DECIMALS = 10;
/** Spreadsheets compute with this many digits; further ones are noise. */
const DIGITS = 15;

/** The cell as text that a number column reads as this number: with the displayed unit and without thousands separators. */
export function numberText(cell: Pasted, { rules }: Column): string {
  const { text, number, decimal } = cell;
  if (number !== undefined && /\d/.test(text) && !dateText(cell)) {
    const exact = shifted(number, text.includes("%") ? 2 : 0);
    if (exact !== null) return `${unambiguous(fitted(exact, text, rules.decimals ?? MAX_DECIMALS))} ${unitOf(text)}`.trim();
  }
  return number === undefined && decimal ? withoutThousands(text, decimal) : text;
}

/** The exact number, or the displayed one if the column takes fewer decimals and it is that number rounded. */
function fitted(exact: string, text: string, places: number): string {
  if (placesOf(exact) <= places) return exact;
  const digits = significant(text);
  for (let count = 0; count <= places; count++) {
    const rounded = Number(exact).toFixed(count);
    if (significant(rounded) === digits) return rounded;
  }
  return exact;
}

const placesOf = (decimal: string): number => decimal.split(".")[1]?.length ?? 0;
const significant = (text: string): string => text.replace(/\D/g, "").replace(/^0+/, "");

function unitOf(text: string): string {
  return /%|\p{Sc}|\b[A-Z]{3}\b/u.exec(text)?.[0] ?? "";
}

/** The number times a power of ten, in digits; null if it is not a number. */
export function shifted(number: string, by: number): string | null {
  const match = /^\s*([-+]?)(\d*)\.?(\d*)(?:e([-+]?\d{1,2}))?\s*$/i.exec(number);
  if (!match || !(match[2] || match[3])) return null;
  const [, sign = "", whole = "", decimals = "", exponent = "0"] = match;
  if ((whole + decimals).replace(/^0+/, "").length > DIGITS) return shifted(Number(number).toPrecision(DIGITS), by);
  const point = whole.length + Number(exponent) + by;
  const digits = (whole + decimals).padStart(whole.length + decimals.length + Math.max(0, 1 - point), "0");
  const at = Math.max(point, 1);
  const padded = digits.padEnd(at, "0");
  const [before, after] = [padded.slice(0, at).replace(/^0+(?=\d)/, ""), padded.slice(at).replace(/0+$/, "")];
  const plain = after ? `${before}.${after}` : before;
  return sign === "-" && /[1-9]/.test(plain) ? `-${plain}` : plain;
}

/** The number in a text whose decimal mark is known, in digits and a point; the text where there is none. */
function withoutThousands(text: string, decimal: "." | ","): string {
  const body = /\d(?:[\d.,'’ \u202f]*\d)?/.exec(text)?.[0] ?? "";
  const group = decimal === "." ? "," : "[.]";
  const written = new RegExp(`^(?:\\d+|\\d{1,3}(?:(?:${group}|['’ \\u202f])\\d{3})+)(?:[${decimal}]\\d+)?$`);
  if (!written.test(body)) return text;
  const [whole = "", decimals] = body.split(decimal);
  const digits = whole.replace(/\D/g, "");
  return text.replace(body, unambiguous(decimals === undefined ? digits : `${digits}.${decimals}`));
}

const DAY_ZERO = Date.UTC(1899, 11, 30), DAY_MS = 86_400_000, SECONDS = 86_400;
/** Before 1 March 1900 spreadsheets count 29 February 1900, which did not exist. */
const FIRST = 61, LAST = 109_574;

/** The date, with the time where one is shown, of a cell that shows the day which its number counts; else null. */
export function dateText({ text, number }: Pasted): string | null {
  const count = Number(number ?? "");
  if (!(count >= FIRST && count < LAST)) return null;
  const day = new Date(DAY_ZERO + Math.floor(count) * DAY_MS);
  const numbers = (text.match(/\d+/g) ?? []).map(Number);
  if (!/[^\d\s]/.test(text) || !isShown(numbers, day, /\p{L}{3}/u.test(text))) return null;
  const iso = day.toISOString().slice(0, 10);
  if (!text.includes(":")) return iso;
  const seconds = Math.round((count % 1) * SECONDS);
  return new Date(Date.parse(iso) + seconds * 1000).toISOString().slice(0, 19).replace("T", " ");
}

/** Whether day, month and year are among the numbers that are shown, each once; the month may be a word. */
function isShown(numbers: number[], day: Date, hasWord: boolean): boolean {
  const rest = [...numbers];
  const take = (number: number): boolean => {
    const at = rest.indexOf(number);
    if (at >= 0) rest.splice(at, 1);
    return at >= 0;
  };
  const year = day.getUTCFullYear();
  return (take(year) || take(year % 100)) && take(day.getUTCDate()) && (hasWord || take(day.getUTCMonth() + 1));
}
