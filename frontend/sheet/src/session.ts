// An open sheet in this window: one outbox, one socket, one undo stack and one list of present users for all its views.

import { Api } from "./api";
import { splitEdits, MAX_COMMAND_SIZE, type Command, type Edit, type RejectedEdit } from "./commands";
import { Live } from "./live";
import { Outbox } from "./outbox";
import { onlyCells, pageIsBusy, PagePoller } from "./page-poller";
import { Presence } from "./presence";
import { Sender } from "./sender";
import { loadOutbox, saveOutbox } from "./storage";
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
    private onEnd: () => void,
  ) {
    this.api = new Api("/api/v1", link);
    this.path = `/sheets/${sheet}`;
    this.outbox = new Outbox(uuid, loadOutbox(user, sheet));
    this.sender = new Sender(this.api, `${this.path}/rows`, this.outbox, {
      answered: (command, outcome) => this.applyOutcome(command, outcome),
      // Drawing can wait where only the "saving" mark disappears.
      changed: () => this.outboxChanged(this.outbox.empty),
    }, Number(user));
    this.undo = new Undo(this.api, this.path, {
      isIdle: () => this.outbox.pendingCount() === 0,
      written: (version) => this.followTo(version),
      message: (text) => this.setMessage(text),
      changed: () => this.changed(),
    });
    this.presence = new Presence(user, (message) => this.live?.send(message), () => this.changed());
    this.channel.port1.onmessage = this.notify;
    window.addEventListener("beforeunload", this.warn);
    this.sender.wake();
  }

  /** Add a view. `refreshPage` makes its page read columns, rights and the sheet's name again. */
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
    return this.outbox.pendingCount();
  }

  /** Edits that the server did not accept, until they are sent again or discarded. */
  get rejectedEdits(): RejectedEdit[] {
    return this.outbox.rejectedEdits();
  }

  /** Write these cells as one action. Drafts without a row yet become new rows. */
  write(edits: Edit[], deletes: number[] = []): void {
    for (const { row } of edits) if (typeof row === "string" && !this.outbox.rowOf(row)) this.appendDraft(row);
    for (const commandEdits of splitEdits(edits)) this.outbox.put(commandEdits);
    for (let start = 0; start < deletes.length; start += MAX_COMMAND_SIZE) this.outbox.put([], [], deletes.slice(start, start + MAX_COMMAND_SIZE));
    this.send();
  }

  /** Write the user's values over those of others, of one conflict or of many as one action. */
  keepMine(conflicts: readonly RejectedEdit[]): void {
    this.outbox.keepMine(conflicts);
    this.send();
  }

  sendAgain(rejected: readonly RejectedEdit[]): void {
    this.outbox.sendAgain(rejected);
    this.send();
  }

  /** Discard rejected edits. After a conflict the cell shows the other user's value, at its version. */
  discard(rejected: readonly RejectedEdit[]): void {
    for (const edit of rejected) this.discardOne(edit);
    this.outboxChanged();
  }

  newKey(): string {
    return uuid();
  }

  /** Add columns behind the others, one after the other, and return their ids. */
  async addColumns(columns: readonly Pick<Column, "name" | "type" | "rules">[]): Promise<number[]> {
    const ids: number[] = [];
    for (const body of columns) ids.push((await this.api.request<Column>(`${this.path}/columns`, { method: "POST", body })).id);
    return ids;
  }

  /** Send the newest version that a view has read, where the server does not know it: it pushes the changes after it. */
  announceVersion(): void {
    const newest = Math.max(-1, ...[...this.views].map(({ reader }) => reader.version));
    if (!this.isLive || newest <= this.announcedVersion) return;
    this.announcedVersion = newest;
    this.live?.send({ since: newest });
  }

  /** Rights or columns have changed: the pages read them before anything else. */
  refreshPagesNow(): void {
    this.poller?.refreshNow();
  }

  retryNow = (): void => {
    this.live?.reconnect();
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
      related: () =>
        this.views.forEach(({ reader, totals }) => {
          reader.refreshBlocks();
          totals.refresh();
        }),
      beat: (version) => this.followTo(version),
      present: (present) => this.presence.update(present),
      open: (isOpen) => this.onConnection(isOpen),
      refused: () => this.onRefused(),
    });
    if (this.link !== null) return;
    window.addEventListener("focus", this.undo.refresh);
    this.undo.refresh();
  }

  private disconnect(): void {
    this.live?.end();
    this.poller?.end();
    this.live = this.poller = null;
    this.isLive = this.isLost = false;
    this.presence.end();
    this.presence.clear();
    window.removeEventListener("focus", this.undo.refresh);
    clearTimeout(this.outageTimer);
  }

  private end(): void {
    this.isEnded = true;
    this.sender.end();
    this.undo.end();
    this.channel.port1.close();
    clearTimeout(this.drawTimer);
    window.removeEventListener("beforeunload", this.warn);
    this.onEnd();
  }

  private followTo(version: number): void {
    for (const view of this.views) view.followTo(version);
  }

  private onVersion(version: number, changes?: Changes): void {
    // The version that a view has already can mean that columns changed, which no version counts.
    for (const view of this.views) if (version >= view.reader.version) view.follow(version);
    if (changes && onlyCells(changes)) this.poller?.onCellChange();
    else this.poller?.onChange();
  }

  private onConnection(isOpen: boolean): void {
    this.isLive = isOpen;
    this.poller?.setLive(isOpen);
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
    if (this.link === null) this.poller?.onChange();
    else this.poller?.refreshNow(); // The page says at once that the link has ended.
  }

  private applyOutcome(command: Command, outcome: Outcome): void {
    this.ownVersion = outcome.version;
    for (const view of this.views) view.applyOutcome(command, outcome);
    this.undo.recordEdit(outcome);
  }

  private appendDraft(key: string): void {
    for (const { reader } of this.views) reader.lines.append(key);
  }

  private discardOne(edit: RejectedEdit): void {
    for (const { reader } of this.views) {
      if (edit.conflict) reader.rows.applySaved(edit.conflict.row, edit.conflict.column, edit.conflict.theirs, edit.conflict.version);
    }
    if (typeof edit.row === "string" && this.outbox.dropDraft(edit.row)) {
      for (const { reader } of this.views) reader.lines.remove(edit.row);
    } else this.outbox.drop(edit.row, edit.column);
  }

  private send(): void {
    this.outboxChanged();
    this.sender.wake();
  }

  private outboxChanged(canWait = false): void {
    // The answer to an ended session must not overwrite what a newer session has stored.
    if (!this.isEnded) saveOutbox(this.user, this.sheet, this.outbox);
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
