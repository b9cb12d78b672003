// One open sheet: what is read, what is typed, and who hears of it. The React part above it only draws.

import { Api, Problem } from "./api";
import { Live } from "./live";
import { Lookout, onlyCells, pageIsBusy } from "./page-poller";
import { Outbox } from "./outbox";
import { Presence } from "./presence";
import { inParts, MOST_AT_ONCE, type CellState, type Command, type Edit, type Issue } from "./commands";
import { Reader } from "./reader";
import { Sender } from "./sender";
import { recall, remember } from "./storage";
import type { Changes, Column, Layout, Outcome, RowRef, View, Wire } from "./types";
import { Undo } from "./undo";
import { uuid } from "./uuid";

/** A line that is back within this time was never away. */
const BLINK = 1000;
const RETRY = 2000;
/** My own change is on my screen already: what the server says of it is read and drawn when the others have drawn it. */
const OWN_PATIENCE = 60;

export class Session {
  readonly reader: Reader;
  readonly outbox: Outbox;
  readonly sender: Sender;
  /** Counts up with every change of what is to be seen. */
  revision = 0;
  isLive = false;
  /** Changes were heard of once, and no longer are, for longer than a blink. */
  isLost = false;
  readonly presence: Presence;
  readonly undo: Undo;
  /** The last word of undo and redo, to be shown for a moment. */
  word = "";
  trouble: Problem | null = null;
  private api: Api;
  private live: Live;
  private lookout: Lookout;
  private listeners = new Set<() => void>();
  private scheduled = false;
  private turn = new MessageChannel();
  /** The version of my last change. */
  private own = -1;
  /** The version that the server knows me to have: it tells what changes from there on. */
  private agreed = -1;
  private later: ReturnType<typeof setTimeout> | undefined;
  private calm: ReturnType<typeof setTimeout> | undefined;
  private view = "";
  private ended = false;
  private blink: ReturnType<typeof setTimeout> | undefined;
  private retry: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly sheet: number,
    readonly me: string,
    private columnsMoved: () => void,
    /** The public link by which the sheet is shown: its visitor is nobody, with nothing of their own on the server. */
    readonly link: number | null = null,
  ) {
    this.api = new Api("/api/v1", link);
    const path = `/sheets/${sheet}`;
    this.outbox = new Outbox(uuid, recall(me, sheet));
    this.reader = new Reader(this.api, path, me, {
      changed: () => {
        this.agree();
        this.readWell();
      },
      failed: (problem) => this.failed(problem),
      columnsMoved: () => this.lookout.now(),
    });
    this.sender = new Sender(this.api, `${path}/rows`, this.outbox, {
      answered: (command, outcome) => this.settle(command, outcome),
      // Where nothing is left to send or to decide, only a mark goes: the cell shows what it is going to show.
      changed: () => this.kept(this.outbox.empty),
    }, Number(me));
    this.undo = new Undo(this.api, path, {
      isIdle: () => this.outbox.waiting() === 0,
      taken: (version) => this.hear(version),
      said: (text) => this.say(text),
      changed: () => this.changed(),
    });
    this.presence = new Presence(me, (message) => this.live.say(message), () => this.changed());
    this.live = new Live(this.api.url(`${path}/live`, { link }), {
      // The same version again can mean that columns changed, which no version counts.
      version: (version, changes) => this.heard(version, changes),
      changes: (since, changes) => {
        this.agreed = changes.version;
        this.reader.tell(since, changes);
      },
      beat: (version) => this.hear(version),
      present: (present) => this.presence.hear(present),
      open: (isOpen) => this.connected(isOpen),
      refused: () => this.refused(),
    });
    this.lookout = new Lookout(() => this.columnsMoved(), pageIsBusy);
    this.turn.port1.onmessage = this.tell;
    for (const key of this.outbox.draftKeys()) this.reader.lines.append(key);
    window.addEventListener("beforeunload", this.warn);
    this.sender.wake();
    if (link !== null) return;
    window.addEventListener("focus", this.undo.look);
    this.undo.look();
  }

  /** The grid is no longer on the page: nothing is read any more; what was typed is still sent, until end(). */
  leave(): void {
    this.live.end();
    this.presence.end();
    this.lookout.end();
    window.removeEventListener("focus", this.undo.look);
    clearTimeout(this.blink);
    clearTimeout(this.later);
    this.reader.blocks.stop();
    clearTimeout(this.retry);
  }

  end(): void {
    this.leave();
    this.ended = true;
    this.sender.end();
    this.undo.end();
    this.turn.port1.close();
    window.removeEventListener("beforeunload", this.warn);
  }

  /** The same for every grid of this sheet and person. */
  get key(): string {
    return `${this.me}:${this.sheet}`;
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  snapshot = (): number => this.revision;

  /** Show this view; does nothing where it is shown already. */
  show(view: View): void {
    const wanted = JSON.stringify(view);
    if (wanted === this.view) return;
    this.view = wanted;
    void this.reader.open(view);
  }

  /** Somebody (the socket, or Python where the socket is blocked) says that there is a newer version. */
  hear(version: number): void {
    if (version > this.reader.version) this.follow(version);
  }

  private heard(version: number, changes?: Changes): void {
    if (version >= this.reader.version) this.follow(version);
    if (changes && onlyCells(changes)) this.lookout.cells();
    else this.lookout.news();
  }

  /** Say which version I have, where the server does not know: what changes next comes by itself then. */
  private agree(): void {
    if (!this.isLive || this.reader.version <= this.agreed) return;
    this.agreed = this.reader.version;
    this.live.say({ since: this.agreed });
  }

  private follow(version: number): void {
    if (version !== this.own && !this.sender.isAsking) void this.reader.follow();
    else this.later ??= setTimeout(this.followOwn, OWN_PATIENCE);
  }

  private followOwn = (): void => {
    this.later = undefined;
    void this.reader.follow();
  };

  /** What a cell holds or, where something was typed that is not saved, what it is to hold. */
  cell(ref: RowRef, column: number): { value: Wire; state: CellState | undefined } {
    const value = typeof ref === "number" ? (this.reader.rows.get(ref)?.values[column] ?? null) : null;
    return { value, state: this.outbox.cell(ref, column) };
  }

  /** The version on the screen of a cell that somebody begins to change. */
  baseOf(ref: RowRef, column: number): number | null {
    // A row that is not known here has not been seen: whatever stands in it is a conflict, and not written over.
    const stored = typeof ref === "number" ? (this.reader.rows.versionOf(ref, column) ?? 0) : null;
    return this.outbox.baseOf(ref, column, stored);
  }

  /** Write these cells as one action. Lines without a row yet become new rows. */
  write(edits: Edit[], deletes: number[] = []): void {
    for (const { row } of edits) if (typeof row === "string" && !this.outbox.rowOf(row)) this.reader.lines.append(row);
    for (const part of inParts(edits)) this.outbox.put(part);
    for (let at = 0; at < deletes.length; at += MOST_AT_ONCE) this.outbox.put([], [], deletes.slice(at, at + MOST_AT_ONCE));
    this.sent();
  }

  /** Write mine over theirs after all, of one conflict or of many as one action. */
  keepMine(issues: readonly Issue[]): void {
    this.outbox.keepMine(issues);
    this.sent();
  }

  /** Try once more what was not taken. */
  sendAgain(issues: readonly Issue[]): void {
    this.outbox.sendAgain(issues);
    this.sent();
  }

  /** Forget what was typed; after a conflict the cell shows theirs, at the version of theirs. */
  drop(issues: readonly Issue[]): void {
    for (const issue of issues) this.dropOne(issue);
    this.kept();
  }

  newKey(): string {
    return uuid();
  }

  /** Add these columns behind the others, one after the other; their ids. */
  async addColumns(columns: readonly Pick<Column, "name" | "type" | "rules">[]): Promise<number[]> {
    const made: number[] = [];
    for (const body of columns) made.push((await this.api.ask<Column>(`/sheets/${this.sheet}/columns`, { method: "POST", body })).id);
    return made;
  }

  rememberLayout(layout: Layout): void {
    if (this.link !== null) return;
    const request = { method: "PUT" as const, body: layout, keepalive: true };
    this.api.ask(`/sheets/${this.sheet}/layout`, request).catch((error: unknown) => {
      if (error instanceof Problem) this.failed(error);
    });
  }

  retryNow = (): void => {
    this.live.renew();
    this.sender.renew();
    this.reader.renew();
  };

  private dropOne(issue: Issue): void {
    if (issue.conflict) {
      const { row, column, theirs, version } = issue.conflict;
      this.reader.rows.settle(row, column, theirs, version);
    }
    if (typeof issue.row === "string" && this.outbox.dropDraft(issue.row)) this.reader.lines.remove(issue.row);
    else this.outbox.drop(issue.row, issue.column);
  }

  private sent(): void {
    this.kept();
    this.sender.wake();
  }

  private kept(canWait = false): void {
    // A late answer must not write over what a newer grid of this sheet has kept.
    if (!this.ended) remember(this.me, this.sheet, this.outbox);
    this.undo.wake();
    if (canWait) this.calm ??= setTimeout(this.changed, OWN_PATIENCE);
    else this.changed();
  }

  private settle(command: Command, outcome: Outcome): void {
    const { rows } = this.reader;
    this.own = outcome.version;
    for (const { row, column, value, version } of outcome.saved) rows.settle(row, column, value, version);
    for (const { key, row, values } of outcome.added) this.reader.take(key, { id: row, values }, outcome.version);
    for (const row of outcome.deleted) this.reader.remove(row, outcome.version);
    this.reader.touched(command.edits.map((edit) => edit.column));
    this.undo.did(outcome);
    if (this.trouble) this.readWell();
  }

  private connected(isOpen: boolean): void {
    this.isLive = isOpen;
    this.lookout.told(isOpen);
    clearTimeout(this.blink);
    if (isOpen) this.found();
    else this.blink = setTimeout(() => this.lose(), BLINK);
  }

  private refused(): void {
    void this.reader.follow();
    if (this.link === null) this.lookout.news();
    else this.lookout.now(); // The page says at once that the link has ended.
  }

  private found(): void {
    this.isLost = false;
    this.agreed = -1;
    this.agree();
    this.presence.tell();
    // Whatever was told while nobody listened is read now; the socket's first word may come before the first page.
    this.reader.renew();
    this.sender.renew();
    this.changed();
  }

  private lose(): void {
    this.isLost = true;
    this.presence.clear();
    this.changed();
  }

  private say(text: string): void {
    this.word = text;
    this.changed();
  }

  private readWell(): void {
    this.trouble = null;
    this.changed();
  }

  private failed(problem: Problem): void {
    this.trouble = problem;
    clearTimeout(this.retry);
    if (problem.passing) this.retry = setTimeout(() => this.readAgain(), Math.max(RETRY, (problem.retryAfter ?? 0) * 1000));
    this.changed();
  }

  private readAgain(): void {
    if (this.reader.total === null) void this.reader.open(JSON.parse(this.view) as View);
    else void this.reader.follow().then(() => this.reader.blocks.retry());
  }

  private warn = (event: BeforeUnloadEvent): void => {
    if (!this.outbox.empty) event.preventDefault();
  };

  /** Many changes in one turn, or in promises that follow each other, are one picture. */
  private changed = (): void => {
    clearTimeout(this.calm);
    this.calm = undefined;
    if (this.scheduled) return;
    this.scheduled = true;
    this.turn.port2.postMessage(null);
  };

  private tell = (): void => {
    this.scheduled = false;
    this.revision += 1;
    for (const listener of this.listeners) listener();
  };
}
