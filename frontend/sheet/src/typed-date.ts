// The day that a typed text means so far, to show its month while it is typed. The server reads what is written.

const ISO = /^\s*(\d{4})(?:[-/.](\d{1,2})(?:[-/.](\d{1,2}))?)?/;
const PARTS = /^\s*(\d{1,2})[./-](\d{1,2})(?:[./-](\d{4}|\d{2}))?/;

/** Year, month and day of a text; null where it does not say a month yet. `today` completes what is missing. */
export function typedDay(text: string, today: string, isMonthFirst: boolean): { month: string; day: string | null } | null {
  const iso = ISO.exec(text);
  if (iso?.[1] && (iso[2] || text.trim().length === 4)) return dayOf(iso[1], iso[2] ?? "1", iso[3]);
  const parts = PARTS.exec(text);
  if (!parts) return null;
  const [, first = "", second = "", year = today.slice(0, 4)] = parts;
  const [day, month] = isMonthFirst ? [second, first] : [first, second];
  return dayOf(year.length === 2 ? `${year < "50" ? "20" : "19"}${year}` : year, month, day);
}

function dayOf(year: string, month: string, day: string | undefined): { month: string; day: string | null } | null {
  const number = Number(month);
  if (number < 1 || number > 12) return null;
  const start = `${year}-${month.padStart(2, "0")}`;
  const length = new Date(Date.UTC(Number(year), number, 0)).getUTCDate();
  const isDay = day !== undefined && Number(day) >= 1 && Number(day) <= length;
  return { month: start, day: isDay ? `${start}-${day.padStart(2, "0")}` : null };
}
