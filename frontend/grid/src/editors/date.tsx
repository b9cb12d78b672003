// The editor for dates: typed as text in any form that core can read, or picked from a month.

import { useEffect, useLayoutEffect, useRef, useState, type KeyboardEvent, type ReactElement } from "react";
import { clockOf, localTime, today } from "../../../sheet/src/format";
import { typedDay } from "../../../sheet/src/typed-date";
import { isLeft, LEFT, moveOf, STAY, typedInput, type EditorProps } from "./editor";

export function DateEditor({ editing, context, done, unsaved }: EditorProps): ReactElement {
  const { time_zone: zone, locale } = context.formats;
  const [text, setText] = useState(editing.typed ?? editing.text);
  unsaved.current = () => typedInput(text, editing.text);
  const current = dateOf(editing);
  const [month, setMonth] = useState((current ?? today(zone)).slice(0, 7));
  const typed = text === editing.text ? null : typedDay(text, today(zone), editing.column.rules.date_order === "month first");
  useEffect(() => {
    if (typed) setMonth(typed.month);
  }, [typed?.month]);
  const field = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => {
    field.current?.focus({ preventScroll: true });
    if (editing.typed === null) field.current?.select();
  }, [editing.typed]);
  const pick = (day: string): void => {
    if (editing.column.form === "day") done(day === current ? null : { value: day }, STAY);
    else setText(`${day} ${text.split(" ")[1] ?? "09:00"}`);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.nativeEvent.isComposing) return;
    const move = moveOf(event);
    if (event.key === "Escape") done(null, STAY);
    else if (move) done(typedInput(text, editing.text), move);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div className="cg-pick">
      <input ref={field} className="cg-field" value={text} aria-label={editing.column.name} data-testid="grid-editor"
        placeholder={editing.column.form === "day" ? "2026-12-31" : "2026-12-31 09:00"}
        onChange={(event) => setText(event.target.value)} onKeyDown={onKeyDown}
        onBlur={(event) => isLeft(event) && done(typedInput(text, editing.text), LEFT)} />
      {shortYear(text) && <p className="cg-year" role="status">The year is read as {shortYear(text)}.</p>}
      <Month month={month} current={typed ? typed.day : current} today={today(zone)} locale={locale} turn={setMonth} pick={pick}
        clock={editing.column.form === "instant" ? clockOf(editing.column) : null} />
    </div>
  );
}

/** The year that core reads where only its last two digits are typed: 1950 to 2049. */
export function shortYear(text: string): string | null {
  const two = /^\d{1,2}([./-])\s?\d{1,2}\1\s?(\d{2})(?!\d)/.exec(text.trim())?.[2];
  return two === undefined ? null : `${two < "50" ? "20" : "19"}${two}`;
}

function dateOf({ value, column }: EditorProps["editing"]): string | null {
  if (typeof value !== "string") return null;
  return column.form === "day" ? value : localTime(value, clockOf(column)).slice(0, 10);
}

interface MonthProps {
  month: string;
  current: string | null;
  today: string;
  locale: string;
  clock: string | null;
  turn: (month: string) => void;
  pick: (day: string) => void;
}

function Month({ month, current, today: now, locale, clock, turn, pick }: MonthProps): ReactElement {
  const keepFocus = (event: { preventDefault: () => void }): void => event.preventDefault();
  const title = new Intl.DateTimeFormat(locale, { month: "long", year: "numeric", timeZone: "UTC" });
  return (
    <div className="cg-month" onMouseDown={keepFocus}>
      <header>
        <button aria-label="Previous month" onClick={() => turn(shifted(month, -1))}>‹</button>
        <span>{title.format(utc(`${month}-01`))}</span>
        <button aria-label="Next month" onClick={() => turn(shifted(month, 1))}>›</button>
      </header>
      <div className="cg-days">
        {weekDays(locale).map((name) => <abbr key={name}>{name}</abbr>)}
        {daysShown(month).map((day) => (
          <button key={day} className={dayClass(day, month, current, now)} aria-label={day} onClick={() => pick(day)}>
            {Number(day.slice(8))}
          </button>
        ))}
      </div>
      {clock && <footer>Times in {clock.replaceAll("_", " ")}</footer>}
    </div>
  );
}

function dayClass(day: string, month: string, current: string | null, now: string): string {
  const classes = [day.startsWith(month) ? "" : "cg-other", day === current ? "cg-now" : "", day === now ? "cg-today" : ""];
  return classes.join(" ").trim();
}

// Dates are computed in UTC, which has no daylight saving time.
const utc = (day: string): number => Date.parse(`${day}T00:00:00Z`);
const iso = (instant: number): string => new Date(instant).toISOString().slice(0, 10);
const DAY = 86_400_000;

function shifted(month: string, by: number): string {
  const [year = 0, number = 1] = month.split("-").map(Number);
  return iso(Date.UTC(year, number - 1 + by, 1)).slice(0, 7);
}

/** Six weeks from the Monday on or before the first of the month. */
function daysShown(month: string): string[] {
  const first = utc(`${month}-01`);
  const monday = first - ((new Date(first).getUTCDay() + 6) % 7) * DAY;
  return Array.from({ length: 42 }, (_, index) => iso(monday + index * DAY));
}

function weekDays(locale: string): string[] {
  const format = new Intl.DateTimeFormat(locale, { weekday: "short", timeZone: "UTC" });
  return Array.from({ length: 7 }, (_, index) => format.format(Date.UTC(2024, 0, 1 + index)));
}
