// An open sheet in this window: one outbox, one socket, one undo stack and one list of present users for all its views.

import { Api } from "./api";
import { inParts, MOST_AT_ONCE, type Command, type Edit, type Issue } from "./commands";
import { Live } from "./live";
import { Outbox } from "./outbox";
import { onlyCells, pageIsBusy, PagePoller } from "./page-poller";
import { Presence } from "./presence";
import { Sender } from "./sender";
import { recall, remember } from "./storage";
import type { Changes, Column, Outcome } from "./types";
import { Undo } from "./undo";
import { uuid } from "./uuid";
import { OWN_EDIT_DELAY, SheetView } from "./view";

/** A connection that is back within this time (ms) is not reported as lost. */
const MIN_OUTAGE = 1000;

export class SheetSession {
  readonly api: Api;
  readonly path: string;
  readonly outbox: Outbox;
  readonly sender: Sender;
  readonly presence: Presence;
  readonly undo: Undo;
  readonly views = new Set<SheetView>();
  /** Increases with every visible change. */
  revision = 0;
  isLive = false;
  /** The connection was open once, and has been lost for longer than MIN_OUTAGE. */
  isLost = false;
  /** The result of the last undo or redo, to be shown for a moment. */
  message = "";
  /** All views are closed and nothing is left to send. */
  isEnded = false;
  /** The version of this user's last edit. */
  ownVersion = -1;
  private live: Live | null = null;
  private poller: PagePoller | null = null;
  private listeners = new Set<() => void>();
  private isScheduled = false;
  private channel = new MessageChannel();
  /** The version from which on the server sends the changes. */
  private announcedVersion = -1;
  private drawTimer: ReturnType<typeof setTimeout> | undefined;
  private outageTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly sheet: number,
    readonly user: string,
    /** The public link by which the sheet is shown. Its visitor is anonymous and has no undo stack and no layout. */
    readonly link: number | null,
    private ended: () => void,
  ) {
    this.api = new Api("/api/v1", link);
    this.path = `/sheets/${sheet}`;
    this.outbox = new Outbox(uuid, recall(user, sheet));
    this.sender = new Sender(this.api, `${this.path}/rows`, this.outbox, {
      answered: (command, outcome) => this.applyOutcome(command, outcome),
      // Drawing can wait where only the "saving" mark disappears.
      changed: () => this.outboxChanged(this.outbox.empty),
    }, Number(user));
    this.undo = new Undo(this.api, this.path, {
      isIdle: () => this.outbox.waiting() === 0,
      taken: (version) => this.followTo(version),
      said: (text) => this.setMessage(text),
      changed: () => this.changed(),
    });
    this.presence = new Presence(user, (message) => this.live?.say(message), () => this.changed());
    this.channel.port1.onmessage = this.notify;
    window.addEventListener("beforeunload", this.warn);
    this.sender.wake();
  }

  /** Add a view. `refreshPage` has the page that it stands on read columns, rights and the sheet's name again. */
  openView(refreshPage: () => void): SheetView {
    const view = new SheetView(this, refreshPage);
    this.views.add(view);
    if (this.views.size === 1) this.connect();
    this.changed();
    return view;
  }

  /** Remove a view. Without views nothing is read; unsaved edits are still sent, and then the session ends. */
  closeView(view: SheetView): void {
    view.stop();
    this.views.delete(view);
    this.presence.move(view, null, null);
    if (this.views.size > 0) return;
    this.disconnect();
    if (this.outbox.empty) this.end();
  }

  get key(): string {
    return sessionKey(this.sheet, this.user, this.link);
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  snapshot = (): number => this.revision;

  /** How many edits wait to be sent or answered. */
  get pendingCount(): number {
    return this.outbox.waiting();
  }

  /** Edits that the server did not accept, until they are sent again or discarded. */
  get rejectedEdits(): Issue[] {
    return this.outbox.attention();
  }

  /** Write these cells as one action. Drafts without a row yet become new rows. */
  write(edits: Edit[], deletes: number[] = []): void {
    for (const { row } of edits) if (typeof row === "string" && !this.outbox.rowOf(row)) this.appendDraft(row);
    for (const part of inParts(edits)) this.outbox.put(part);
    for (let at = 0; at < deletes.length; at += MOST_AT_ONCE) this.outbox.put([], [], deletes.slice(at, at + MOST_AT_ONCE));
    this.send();
  }

  /** Write the user's values over those of others, of one conflict or of many as one action. */
  keepMine(issues: readonly Issue[]): void {
    this.outbox.keepMine(issues);
    this.send();
  }

  sendAgain(issues: readonly Issue[]): void {
    this.outbox.sendAgain(issues);
    this.send();
  }

  /** Discard rejected edits. After a conflict the cell shows the other user's value, at its version. */
  discard(issues: readonly Issue[]): void {
    for (const issue of issues) this.discardOne(issue);
    this.outboxChanged();
  }

  newKey(): string {
    return uuid();
  }

  /** Add columns behind the others, one after the other, and return their ids. */
  async addColumns(columns: readonly Pick<Column, "name" | "type" | "rules">[]): Promise<number[]> {
    const ids: number[] = [];
    for (const body of columns) ids.push((await this.api.ask<Column>(`${this.path}/columns`, { method: "POST", body })).id);
    return ids;
  }

  /** Send the newest version that a view has read, where the server does not know it: it pushes the changes after it. */
  announceVersion(): void {
    const newest = Math.max(-1, ...[...this.views].map(({ reader }) => reader.version));
    if (!this.isLive || newest <= this.announcedVersion) return;
    this.announcedVersion = newest;
    this.live?.say({ since: newest });
  }

  /** Rights or columns have changed: the pages read them before anything else. */
  refreshPagesNow(): void {
    this.poller?.now();
  }

  retryNow = (): void => {
    this.live?.renew();
    this.sender.renew();
    for (const { reader } of this.views) reader.renew();
  };

  /** Redraw. Many changes in one task, or in promises that follow each other, are one notification. */
  changed = (): void => {
    clearTimeout(this.drawTimer);
    this.drawTimer = undefined;
    if (this.isScheduled) return;
    this.isScheduled = true;
    this.channel.port2.postMessage(null);
  };

  private connect(): void {
    this.announcedVersion = -1;
    this.poller = new PagePoller(() => this.views.forEach((view) => view.refreshPage()), pageIsBusy);
    this.live = new Live(this.api.url(`${this.path}/live`, { link: this.link }), {
      version: (version, changes) => this.onVersion(version, changes),
      changes: (since, changes) => {
        this.announcedVersion = changes.version;
        for (const { reader } of this.views) reader.push(since, changes);
      },
      beat: (version) => this.followTo(version),
      present: (present) => this.presence.update(present),
      open: (isOpen) => this.onConnection(isOpen),
      refused: () => this.onRefused(),
    });
    if (this.link !== null) return;
    window.addEventListener("focus", this.undo.look);
    this.undo.look();
  }

  private disconnect(): void {
    this.live?.end();
    this.poller?.end();
    this.live = this.poller = null;
    this.isLive = this.isLost = false;
    this.presence.end();
    this.presence.clear();
    window.removeEventListener("focus", this.undo.look);
    clearTimeout(this.outageTimer);
  }

  private end(): void {
    this.isEnded = true;
    this.sender.end();
    this.undo.end();
    this.channel.port1.close();
    clearTimeout(this.drawTimer);
    window.removeEventListener("beforeunload", this.warn);
    this.ended();
  }

  private followTo(version: number): void {
    for (const view of this.views) view.followTo(version);
  }

  private onVersion(version: number, changes?: Changes): void {
    // The version that a view has already can mean that columns changed, which no version counts.
    for (const view of this.views) if (version >= view.reader.version) view.follow(version);
    if (changes && onlyCells(changes)) this.poller?.cells();
    else this.poller?.news();
  }

  private onConnection(isOpen: boolean): void {
    this.isLive = isOpen;
    this.poller?.told(isOpen);
    clearTimeout(this.outageTimer);
    if (isOpen) this.onConnected();
    else this.outageTimer = setTimeout(() => this.onOutage(), MIN_OUTAGE);
  }

  private onConnected(): void {
    this.isLost = false;
    this.announcedVersion = -1;
    this.announceVersion();
    this.presence.send();
    // Read what was missed while disconnected. The socket's first message may come before the first page.
    for (const { reader } of this.views) reader.renew();
    this.sender.renew();
    this.changed();
  }

  private onOutage(): void {
    this.isLost = true;
    this.presence.clear();
    this.changed();
  }

  private onRefused(): void {
    for (const { reader } of this.views) void reader.follow();
    if (this.link === null) this.poller?.news();
    else this.poller?.now(); // The page says at once that the link has ended.
  }

  private applyOutcome(command: Command, outcome: Outcome): void {
    this.ownVersion = outcome.version;
    for (const view of this.views) view.applyOutcome(command, outcome);
    this.undo.did(outcome);
  }

  private appendDraft(key: string): void {
    for (const { reader } of this.views) reader.lines.append(key);
  }

  private discardOne(issue: Issue): void {
    for (const { reader } of this.views) {
      if (issue.conflict) reader.rows.settle(issue.conflict.row, issue.conflict.column, issue.conflict.theirs, issue.conflict.version);
    }
    if (typeof issue.row === "string" && this.outbox.dropDraft(issue.row)) {
      for (const { reader } of this.views) reader.lines.remove(issue.row);
    } else this.outbox.drop(issue.row, issue.column);
  }

  private send(): void {
    this.outboxChanged();
    this.sender.wake();
  }

  private outboxChanged(canWait = false): void {
    // The answer to an ended session must not overwrite what a newer session has stored.
    if (!this.isEnded) remember(this.user, this.sheet, this.outbox);
    this.undo.wake();
    if (canWait) this.drawTimer ??= setTimeout(this.changed, OWN_EDIT_DELAY);
    else this.changed();
  }

  private setMessage(text: string): void {
    this.message = text;
    this.changed();
  }

  private warn = (event: BeforeUnloadEvent): void => {
    if (!this.outbox.empty) event.preventDefault();
  };

  private notify = (): void => {
    this.isScheduled = false;
    this.revision += 1;
    for (const listener of this.listeners) listener();
    if (this.views.size === 0 && this.outbox.empty && !this.isEnded) this.end();
  };
}

const sessions = new Map<string, SheetSession>();

const sessionKey = (sheet: number, user: string, link: number | null): string => `${user}:${sheet}:${link ?? ""}`;

/** Open a view of a sheet. All views of one user and sheet in this window share one session. */
export function openView(sheet: number, user: string, link: number | null, refreshPage: () => void): SheetView {
  const key = sessionKey(sheet, user, link);
  const session = sessions.get(key) ?? new SheetSession(sheet, user, link, () => sessions.delete(key));
  sessions.set(key, session);
  return session.openView(refreshPage);
}
