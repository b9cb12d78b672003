// Which rows on the screen fulfil the filter and the conditions of the colours. The server decides it, because it has the
// one filter language; the answers are kept until a row changes.

import type { Api } from "./api";
import type { View } from "./types";

/** Delay (ms) before rows are asked for, so that rows that come together are one request. */
export const GATHER = 120;
const MAX_ROWS = 300;
const MAX_KEPT = 5000;

export type Question = Pick<View, "filter" | "search">;

interface Known {
  stamp: number;
  answers: boolean[];
}

export interface WatchedRow {
  id: number;
  /** Greater after each change of the row. */
  stamp: number;
}

export class RowMatches {
  private questions = "[]";
  private known = new Map<number, Known>();
  private watched: readonly WatchedRow[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;
  private isReading = false;

  constructor(private api: Api, private path: string, private changed: () => void) {}

  /** What to ask of each row. */
  ask(questions: readonly Question[]): void {
    const text = JSON.stringify(questions);
    if (text === this.questions) return;
    this.questions = text;
    this.known.clear();
    this.readLater();
  }

  /** The rows to ask for: those on the screen. */
  watch(rows: readonly WatchedRow[]): void {
    this.watched = rows;
    if (this.missing().length > 0) this.readLater();
  }

  /** For each question whether the row fulfils it; undefined while that is not known. */
  of(row: number): readonly boolean[] | undefined {
    return this.known.get(row)?.answers;
  }

  end(): void {
    clearTimeout(this.timer);
    this.watched = [];
  }

  private missing(): WatchedRow[] {
    if (this.questions === "[]") return [];
    return this.watched.filter(({ id, stamp }) => this.known.get(id)?.stamp !== stamp).slice(0, MAX_ROWS);
  }

  private readLater(): void {
    if (!this.isReading) this.timer ??= setTimeout(() => void this.read(), GATHER);
  }

  private async read(): Promise<void> {
    this.timer = undefined;
    const [rows, questions] = [this.missing(), this.questions];
    if (rows.length === 0) return;
    this.isReading = true;
    let isRead = false;
    try {
      const query = { rows: rows.map(({ id }) => id).join(","), views: questions };
      const { matches } = await this.api.request<{ matches: number[][] }>(`${this.path}/matches`, { query });
      if (questions === this.questions) this.keep(rows, matches.map((ids) => new Set(ids)));
      isRead = true;
    } catch {
      // They are asked for again with the next change.
    }
    this.isReading = false;
    if (!isRead) return;
    this.changed();
    if (this.missing().length > 0) this.readLater();
  }

  private keep(rows: readonly WatchedRow[], matches: ReadonlySet<number>[]): void {
    for (const { id, stamp } of rows) this.known.set(id, { stamp, answers: matches.map((ids) => ids.has(id)) });
    while (this.known.size > MAX_KEPT) this.known.delete(this.known.keys().next().value as number);
  }
}
