// The totals of a view and of its groups: read from the server, and read again some time after rows have changed.

import { Problem, type Api } from "./api";
import { isDate, isNumber } from "./format";
import { groupKey } from "./grouping";
import { queryOf } from "./reader";
import type { CellValue, Column, GroupTotals, TotalFunction, Totals, View } from "./types";

/** Delay (ms) before totals are read again after a change, so that many changes lead to one read. */
export const SETTLE = 400;
/** The least time (ms) between two reads after changes. */
export const READ_INTERVAL = 1500;

export interface WantedTotal {
  column: number;
  function: TotalFunction;
}

export interface TotalsEvents {
  changed: () => void;
  /** The newest version that the view shows. */
  version: () => number;
}

export class ViewTotals {
  /** The last answer. It stays on the screen while the next one is read. */
  current: Totals | null = null;
  private groups = new Map<string, GroupTotals>();
  private view: View | null = null;
  private wanted = "[]";
  private question = "";
  private request: AbortController | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readAt = -Infinity;
  private isStale = false;

  constructor(private api: Api, private path: string, private events: TotalsEvents) {}

  /** Read the totals of this view. */
  show(view: View): void {
    this.view = view;
    this.ask();
  }

  /** The functions of columns to read. Nothing is read before the first call. */
  want(totals: readonly WantedTotal[]): void {
    this.wanted = JSON.stringify(totals);
    this.ask();
  }

  /** Rows may have changed. */
  follow(): void {
    if (this.question === "" || this.request || this.timer !== undefined) return;
    if (!this.isStale && this.current && this.events.version() <= this.current.version) return;
    const wait = Math.max(SETTLE, this.readAt + READ_INTERVAL - performance.now());
    this.timer = setTimeout(() => void this.read(), wait);
  }

  /** Rows of a related sheet have changed: the totals may be others at the same version. */
  refresh(): void {
    this.isStale = true;
    this.follow();
  }

  end(): void {
    clearTimeout(this.timer);
    this.request?.abort();
    this.question = "";
  }

  value(column: number, name: TotalFunction): CellValue | number | undefined {
    return this.current?.totals[`${column}:${name}`];
  }

  /** The newest totals of a group of the view. */
  group(key: string): GroupTotals | undefined {
    return this.groups.get(key);
  }

  private ask(): void {
    if (!this.view) return;
    const question = JSON.stringify([this.view, this.wanted]);
    if (question === this.question) return;
    this.question = question;
    this.request?.abort();
    void this.read();
  }

  private async read(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.isStale = false;
    const request = (this.request = new AbortController());
    const { question } = this;
    try {
      const query = { ...queryOf(this.view ?? {}), totals: this.wanted };
      const totals = await this.api.request<Totals>(`${this.path}/totals`, { query, signal: request.signal, seconds: 60 });
      if (question === this.question) this.set(totals);
    } catch (error) {
      // After a passing fault they are read again with the next change; a column that is gone has no totals.
      if (question === this.question && error instanceof Problem && !error.isTemporary) this.set(null);
    }
    if (this.request !== request) return;
    this.request = null;
    this.readAt = performance.now();
    this.events.changed();
    this.follow();
  }

  private set(totals: Totals | null): void {
    this.current = totals;
    this.groups = new Map(totals?.groups.map((group) => [groupKey(group.values), group]));
  }
}

export const FUNCTION_NAMES: Record<TotalFunction, string> = {
  sum: "Sum", average: "Average", min: "Smallest", max: "Largest", filled: "Filled", empty: "Empty", unique: "Unique",
};
/** The names where there is little room. */
export const SHORT_NAMES: Record<TotalFunction, string> = {
  sum: "Σ", average: "Ø", min: "min", max: "max", filled: "filled", empty: "empty", unique: "unique",
};

/** The functions that a column has. */
export function functionsOf(column: Column): TotalFunction[] {
  const counts: TotalFunction[] = ["filled", "empty", "unique"];
  if (isNumber(column)) return ["sum", "average", "min", "max", ...counts];
  return isDate(column) ? ["min", "max", ...counts] : counts;
}

/** The function of a column in the footer: the chosen one, else the sum of money. */
export function functionOf(column: Column, chosen: Record<string, TotalFunction | null>): TotalFunction | null {
  const name = chosen[column.id];
  if (name === undefined) return column.form === "currency" ? "sum" : null;
  return name && functionsOf(column).includes(name) ? name : null;
}

