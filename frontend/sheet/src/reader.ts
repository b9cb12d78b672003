// Reads a sheet: the first page and the order in parallel, blocks by the order's token, and then the changes.

import { Problem, type Api } from "./api";
import { RowMembership } from "./row-membership";
import { BLOCK, Blocks } from "./blocks";
import { conditionsOf } from "./filter";
import { Lines } from "./lines";
import { Rows } from "./rows";
import type { ChangedRow, Changes, GroupTotals, Row, RowsPage, Sort, View } from "./types";

/** More pushed messages than this, unused, belong to a lost connection. */
const MAX_PUSHED = 20;

export interface ReaderEvents {
  changed: () => void;
  failed: (problem: Problem) => void;
  /** The columns of the sheet or the user's rights differ from those that the page sent. */
  columnsChanged: () => void;
}

interface Order {
  order: string;
  version: number;
  total: number;
  groups?: GroupTotals[];
}

export class Reader {
  readonly rows = new Rows();
  readonly blocks: Blocks;
  readonly lines: Lines;
  /** All loaded rows are up to date with this version; -1 before the first page. */
  version = -1;
  /** The order on the screen no longer matches sort and filter. */
  stale = false;
  private membership = new RowMembership();
  private view: View = {};
  private token: string | null = null;
  private orderVersion = 0;
  /** The versions of the pages that were read before the order. */
  private unordered = new Set<number>();
  private round = 0;
  private following = false;
  private followAgain = false;
  private request = new AbortController();
  /** Changes that the server pushed, by the version they start from. */
  private pushed = new Map<number, Changes>();
  private columnsVersion: number | null = null;
  /** A hash of the rights by which this user sees rows. */
  private scope: string | null = null;

  constructor(
    private api: Api,
    private path: string,
    private me: string,
    private events: ReaderEvents,
  ) {
    this.blocks = new Blocks({
      read: (offset, limit, signal) => this.page(offset, limit, signal),
      received: (page) => this.applyPage(page),
      failed: (error) => this.onError(error),
      dropped: (ids) => ids.forEach((id) => this.lines.isBelow(id) || this.rows.forget(id)),
    });
    this.lines = new Lines(this.blocks);
  }

  /** The number of rows; null until it is known. */
  get total(): number | null {
    return this.token === null ? null : this.lines.ordered + this.lines.savedBelow - this.membership.missing;
  }

  /** New rows of others that are not shown because the view is sorted or filtered. */
  get fresh(): Set<number> {
    return this.membership.fresh;
  }

  get isFiltered(): boolean {
    return isFiltered(this.view);
  }

  get plain(): boolean {
    return !this.view.sort?.length && !isFiltered(this.view) && !this.view.groups?.length;
  }

  /** Show the sheet in this view. The first rows do not wait for the count. */
  async open(view: View): Promise<void> {
    this.view = view;
    this.token = null;
    this.unordered.clear();
    this.blocks.clear();
    this.lines.reorder(0);
    const round = ++this.round;
    // The lines of a grouped view are known with its groups.
    const first = view.groups?.length
      ? Promise.resolve()
      : this.page(0, BLOCK, new AbortController().signal).then((page) => this.applyFirstPage(page, round));
    // The order reads every row of the view: beside it the first page would take twice as long.
    await first.then(() => (round === this.round ? this.reorder(round) : undefined)).catch((error: unknown) => round === this.round && this.onError(error));
  }

  /** Read the order of the current view again. */
  async refresh(): Promise<void> {
    await this.reorder(++this.round, true).catch((error: unknown) => this.onError(error));
  }

  /** Keep the changes since a version that the server pushed. Changes that end at that version say nothing of later ones. */
  push(since: number, changes: Changes): void {
    if (changes.version <= since) return;
    if (this.pushed.size >= MAX_PUSHED) this.pushed.clear();
    this.pushed.set(since, changes);
  }

  /** Read the changes up to the newest version. Calls during a read lead to one further read. */
  async follow(): Promise<void> {
    this.followAgain = this.following;
    if (this.following || this.version < 0) return;
    this.following = true;
    try {
      do await this.catchUp(this.version, this.request.signal);
      while (this.pushed.has(this.version));
    } catch (error) {
      this.onError(error);
    } finally {
      this.following = false;
    }
    if (this.followAgain) await this.follow();
  }

  /** The connection is new: requests on the old one may never be answered, so they are sent again. */
  renew(): void {
    this.request.abort();
    this.request = new AbortController();
    void this.follow();
  }

  /** Rows of a related sheet changed: the rows on the screen are read again, with their computed cells. */
  refreshBlocks(): void {
    this.blocks.refresh();
  }

  /** Cells of these columns changed: the order is stale if the view sorts, filters or searches by them. */
  cellsChanged(columns: number[]): void {
    const { sort = [], filter = [], groups = [], search } = this.view;
    const used = new Set([...groups, ...sort, ...conditionsOf(filter)].map((term) => term.column));
    if (search || columns.some((column) => used.has(column))) this.stale = true;
  }

  private async reorder(round: number, isRefresh = false): Promise<void> {
    const order = await this.api.request<Order>(`${this.path}/order`, { query: queryOf(this.view), seconds: 60 });
    if (round !== this.round) return;
    this.token = order.order;
    this.orderVersion = order.version;
    this.stale = false;
    this.membership.reset(order.version);
    this.lines.reorder(order.total, order.groups);
    const isCurrent = this.unordered.size === 1 && this.unordered.has(order.version);
    if (isRefresh || !isCurrent || this.blocks.busy) this.blocks.refresh();
    this.events.changed();
    // Rows added after an older order and before the page on the screen are in neither.
    if (order.version < this.version) await this.catchUp(order.version);
    else if (order.version !== this.version) void this.follow();
  }

  private applyFirstPage(page: RowsPage, round: number): void {
    // A page of another version may contain other rows than the order, at other positions.
    const misplaced = this.token !== null && page.version !== this.orderVersion;
    if (round !== this.round || this.blocks.hasAll(0, 0) || misplaced) return;
    if (this.lines.ordered === 0) this.lines.ordered = page.rows.length;
    this.blocks.put(0, page.rows.map((row) => row.id));
    this.applyPage(page);
  }

  private async page(offset: number, limit: number, signal: AbortSignal): Promise<RowsPage> {
    const query = { ...queryOf(this.view), groups: undefined, offset, limit, order: this.token };
    return this.api.request<RowsPage>(`${this.path}/rows`, { query, signal });
  }

  private applyPage(page: RowsPage): void {
    // The changes are read from the first page on, be it the unordered one or a block of the order, and at the latest from
    // the version of the order, or rows added between the two would be missed.
    const isFirst = this.version < 0;
    if (this.token === null) this.unordered.add(page.version);
    if (isFirst) this.version = this.token === null ? page.version : Math.min(page.version, this.orderVersion);
    for (const row of page.rows) {
      this.rows.put(row, page.version);
      this.lines.remove(row.id);
    }
    this.events.changed();
    // The page is older than changes that were applied already: its rows may lack some of them.
    if (page.version < this.version) void this.catchUp(page.version).catch((error: unknown) => this.onError(error));
    if (isFirst) void this.follow();
  }

  private async catchUp(since: number, signal?: AbortSignal): Promise<void> {
    const changes = await this.changes(since, signal);
    this.checkScope(changes);
    if (changes.reset) this.startOver(changes.version);
    else this.apply(changes, this.token !== null && this.membership.covers(since, changes.version));
    this.version = Math.max(this.version, changes.version);
    this.events.changed();
    // Added and deleted rows since the order are applied without a gap or not at all.
    if (!changes.reset && this.token !== null && this.membership.upTo < this.version) await this.catchUp(this.membership.upTo, signal);
  }

  private async changes(since: number, signal?: AbortSignal): Promise<Changes> {
    const pushedChanges = this.pushed.get(since);
    for (const from of this.pushed.keys()) if (from <= since) this.pushed.delete(from);
    if (pushedChanges) return pushedChanges;
    try {
      return await this.api.request<Changes>(`${this.path}/changes`, { query: { since }, signal });
    } catch (error) {
      // The next read starts from this version again: an older page may need these changes.
      this.version = Math.min(this.version, since);
      throw error;
    }
  }

  private apply(changes: Changes, withNewRows: boolean): void {
    let isComplete = true;
    for (const changed of changes.rows ?? []) {
      // A row added after the order is not in it, even if the first page, read without an order, showed it.
      const isBelow = this.lines.isBelow(changed.id);
      const change = withNewRows ? this.membership.apply(changed, changes.version, isBelow) : null;
      if (change === "came") this.addBelow(changed, changes.version);
      if (change === "went") this.stale = true;
      isComplete = this.rows.applyChange(changed, changes.version, this.me, performance.now()) && isComplete;
      this.cellsChanged(Object.keys(changed.values).map(Number));
    }
    if (!isComplete) this.blocks.refresh();
    if (withNewRows) this.membership.upTo = changes.version;
  }

  /** This user deleted a row: it stays on its line, struck out, until the order is refreshed. */
  remove(id: number, version: number): void {
    if (version <= this.orderVersion || this.membership.removeOwn(id, version) !== "went") return;
    this.rows.markRemoved(id);
    this.stale = true;
  }

  /** A new row of this user stays on the line where it was typed. */
  addOwnRow(key: string, row: Row, version: number): void {
    this.rows.put(row, version);
    this.fresh.delete(row.id);
    this.lines.assignId(key, row.id);
    this.cellsChanged(Object.keys(row.values).map(Number));
  }

  private addBelow(changed: ChangedRow, version: number): void {
    if (!this.plain) {
      this.fresh.add(changed.id);
      return;
    }
    this.rows.put({ id: changed.id, values: changed.values }, version);
    this.lines.append(changed.id);
    // Its position in the order is elsewhere: it moves there only when the user refreshes the order.
    if (changed.restored) this.stale = true;
  }

  /** There are too many changes to send: read all rows again; in a filtered or sorted view, in the current order. */
  private startOver(version: number): void {
    if (this.plain) void this.refresh();
    else {
      this.membership.upTo = Math.max(this.membership.upTo, version);
      this.stale = true;
      this.blocks.refresh();
    }
  }

  private checkScope(changes: Changes): void {
    const [columns, scope] = [changes.columns_version ?? null, changes.scope ?? null];
    const haveColumnsChanged = this.columnsVersion !== null && columns !== null && columns !== this.columnsVersion;
    const haveRowsChanged = this.scope !== null && scope !== null && scope !== this.scope;
    [this.columnsVersion, this.scope] = [columns, scope];
    if (haveColumnsChanged || haveRowsChanged) this.events.columnsChanged();
    // The user may see other rows now.
    if (haveRowsChanged) void this.refresh();
    // Loaded rows do not have the values of a restored column.
    else if (haveColumnsChanged && this.lines.savedBelow > 0) this.startOver(changes.version);
    else if (haveColumnsChanged) this.blocks.refresh();
  }

  private onError(error: unknown): void {
    if (error instanceof DOMException && error.name === "AbortError") return;
    const problem = error instanceof Problem ? error : new Problem(0, "offline", String(error));
    if (problem.status === 410) void this.refresh();
    else this.events.failed(problem);
  }
}

/** A view as the parameters of a request. */
export function queryOf(view: View): Record<string, string | undefined> {
  const json = (items: unknown[] | undefined): string | undefined => (items?.length ? JSON.stringify(items) : undefined);
  return {
    sort: json(sortOf(view)),
    filter: conditionsOf(view.filter ?? []).length > 0 ? JSON.stringify(view.filter) : undefined,
    search: view.search || undefined,
    groups: json(view.groups),
  };
}

/** The sort of a view with its groups first. */
function sortOf({ groups = [], sort = [] }: View): Sort[] {
  const grouped = new Set(groups.map(({ column }) => column));
  return [...groups, ...sort.filter(({ column }) => !grouped.has(column))];
}

/** Whether a view may leave out rows. */
export function isFiltered({ filter, search }: View): boolean {
  return Boolean(search) || conditionsOf(filter ?? []).length > 0;
}
