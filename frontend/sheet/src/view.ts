// A view of an open sheet: the rows of one query as they are on the screen, and the versions that edits there are based on.

import { Problem } from "./api";
import type { CellState, Command } from "./commands";
import { Reader } from "./reader";
import { RowMatches } from "./matches";
import { ViewTotals } from "./totals";
import type { SheetSession } from "./session";
import type { Outcome, Row, RowRef, View, CellValue } from "./types";

/** Delay (ms) for reading back and drawing one's own edit: it is on the screen already, and other users see it first. */
export const OWN_EDIT_DELAY = 60;
const RETRY_DELAY = 2000;

export class SheetView {
  readonly reader: Reader;
  readonly totals: ViewTotals;
  readonly matches: RowMatches;
  /** Why rows could not be read the last time. */
  problem: Problem | null = null;
  private query = "";
  private ownTimer: ReturnType<typeof setTimeout> | undefined;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly session: SheetSession,
    readonly refreshPage: () => void,
  ) {
    this.reader = new Reader(session.api, session.path, session.user, {
      changed: () => {
        session.announceVersion();
        this.totals.follow();
        this.recovered();
      },
      failed: (problem) => this.failed(problem),
      columnsChanged: () => session.refreshPagesNow(),
    });
    this.totals = new ViewTotals(session.api, session.path, { changed: () => session.changed(), version: () => this.reader.version });
    this.matches = new RowMatches(session.api, session.path, () => session.changed());
    for (const key of session.outbox.draftKeys()) this.reader.lines.append(key);
  }

  /** Show the rows of this query; does nothing where they are shown already. */
  show(query: View): void {
    const text = JSON.stringify(query);
    if (text === this.query) return;
    this.query = text;
    void this.reader.open(query);
    this.totals.show(query);
  }

  /** The rows on these lines as far as they are known; what is missing is read. */
  rows(first: number, last: number): (Row | null)[] {
    const { lines, blocks, rows } = this.reader;
    blocks.setVisible(lines.spans(first, last));
    return Array.from({ length: Math.max(0, Math.min(last + 1, lines.count) - first) }, (_, index) => {
      const line = lines.at(first + index);
      return line.kind === "row" ? (rows.get(line.id) ?? null) : null;
    });
  }

  /** Take a new row that the filter does not have from the screen. */
  leave(row: RowRef): void {
    this.reader.lines.remove(row);
    this.session.changed();
  }

  /** Fold these groups, or open them. */
  fold(keys: readonly string[], isFolded: boolean): void {
    this.reader.lines.fold(keys, isFolded);
    this.session.changed();
  }

  /** The stored value of a cell and, where an edit of it is not saved, the state of that edit. */
  cell(row: RowRef, column: number): { value: CellValue; state: CellState | undefined } {
    const value = typeof row === "number" ? (this.reader.rows.get(row)?.values[column] ?? null) : null;
    return { value, state: this.session.outbox.cell(row, column) };
  }

  /** The version that an edit of this cell is based on, if it starts now. */
  baseOf(row: RowRef, column: number): number | null {
    // A row that is not known here was not seen: any value in it is a conflict.
    // A cell of a new row is typed by the columns of now.
    const known = this.reader.version < 0 ? null : this.reader.version;
    const stored = typeof row === "number" ? (this.reader.rows.versionOf(row, column) ?? 0) : known;
    return this.session.outbox.baseOf(row, column, stored);
  }

  /** There may be a newer version: read the changes if this view does not have it. */
  followTo(version: number): void {
    if (version > this.reader.version) this.follow(version);
  }

  follow(version: number): void {
    if (version !== this.session.ownVersion && !this.session.sender.isSending) void this.reader.follow();
    else this.ownTimer ??= setTimeout(this.followOwn, OWN_EDIT_DELAY);
  }

  /** Take over what the server answered to one of the user's commands. */
  applyOutcome(command: Command, outcome: Outcome): void {
    const { reader } = this;
    for (const { row, column, value, version } of outcome.saved) reader.rows.applySaved(row, column, value, version);
    for (const { key, row, values } of outcome.added) reader.addOwnRow(key, { id: row, values }, outcome.version);
    for (const row of outcome.deleted) reader.remove(row, outcome.version);
    reader.cellsChanged(command.edits.map((edit) => edit.column));
    if (this.problem) this.recovered();
  }

  failed(problem: Problem): void {
    this.problem = problem;
    clearTimeout(this.retryTimer);
    if (problem.isTemporary) this.retryTimer = setTimeout(() => this.retry(), Math.max(RETRY_DELAY, (problem.retryAfter ?? 0) * 1000));
    this.session.changed();
  }

  close(): void {
    this.session.closeView(this);
  }

  /** Called by the session; see close(). */
  stop(): void {
    clearTimeout(this.ownTimer);
    clearTimeout(this.retryTimer);
    this.reader.blocks.stop();
    this.totals.end();
    this.matches.end();
  }

  private followOwn = (): void => {
    this.ownTimer = undefined;
    void this.reader.follow();
  };

  private recovered(): void {
    this.problem = null;
    this.session.changed();
  }

  private retry(): void {
    if (this.reader.total === null) void this.reader.open(JSON.parse(this.query) as View);
    else void this.reader.follow().then(() => this.reader.blocks.retry());
  }
}
