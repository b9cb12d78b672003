// Reads a sheet as it was: an order and blocks of rows as of a version. The past does not change, so there are no updates.

import { Problem, type Api } from "./api";
import { queryOf } from "./reader";
import { BLOCK, Blocks } from "./blocks";
import type { RowsPage, Tint, Tints, View, CellValue } from "./types";

interface Order {
  order: string;
  total: number;
}

const RETRY_MS = 2000;

export class PastReader {
  readonly blocks: Blocks;
  /** How many rows there were; null until it is known. */
  total: number | null = null;
  problemText: string | null = null;
  /** Increases with every visible change. */
  revision = 0;
  private rows = new Map<number, Record<string, CellValue>>();
  private view: View = {};
  private token: string | null = null;
  private request = new AbortController();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private listeners = new Set<() => void>();

  constructor(
    readonly api: Api,
    readonly path: string,
    private asOf: string,
  ) {
    this.blocks = new Blocks({
      read: (offset, limit, signal) => this.page(offset, limit, signal),
      received: (page) => this.applyPage(page),
      failed: (error) => this.onError(error),
      dropped: (ids) => ids.forEach((id) => this.rows.delete(id)),
    });
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  snapshot = (): number => this.revision;

  /** Show the rows in this view: first their order, which includes their count. */
  async open(view: View): Promise<void> {
    this.end();
    this.view = view;
    const request = (this.request = new AbortController());
    try {
      const { signal } = request;
      const order = await this.api.request<Order>(`${this.path}/order`, { query: this.viewQuery(), seconds: 60, signal });
      if (signal.aborted) return;
      this.blocks.clear();
      [this.token, this.total] = [order.order, order.total];
      this.blocks.setVisible([[0, Math.min(BLOCK, order.total) - 1]]);
      this.changed();
    } catch (error) {
      if (!request.signal.aborted) this.onError(error);
    }
  }

  end(): void {
    this.request.abort();
    this.blocks.stop();
    clearTimeout(this.timer);
  }

  /** The row on a line, once it has been read. */
  rowAt(line: number): { id: number; values: Record<string, CellValue> } | null {
    const id = this.blocks.idAt(line);
    const values = id === undefined ? undefined : this.rows.get(id);
    return id === undefined || !values ? null : { id, values };
  }

  private page(offset: number, limit: number, signal: AbortSignal): Promise<RowsPage> {
    const query = { ...this.viewQuery(), offset, limit, order: this.token };
    return this.api.request<RowsPage>(`${this.path}/rows`, { query, signal });
  }

  private viewQuery(): Record<string, string | undefined> {
    return { as_of: this.asOf, ...queryOf(this.view) };
  }

  private applyPage(page: RowsPage): void {
    for (const { id, values } of page.rows) this.rows.set(id, values);
    this.problemText = null;
    this.changed();
  }

  private onError(error: unknown): void {
    if (error instanceof DOMException && error.name === "AbortError") return;
    const problem = error instanceof Problem ? error : new Problem(0, "offline", String(error));
    // 410: the server has dropped the order, so a new one is requested.
    if (problem.status === 410) void this.open(this.view);
    else this.problemText = problem.message;
    clearTimeout(this.timer);
    if (problem.isTemporary) this.timer = setTimeout(() => this.retry(), Math.max(RETRY_MS, (problem.retryAfter ?? 0) * 1000));
    this.changed();
  }

  private retry(): void {
    if (this.total === null) void this.open(this.view);
    else this.blocks.retry();
  }

  private changed(): void {
    this.revision += 1;
    for (const listener of this.listeners) listener();
  }
}

/** The difference of a cell from the version that the sheet is compared with. */
export function tintOf(tints: Tints, row: number, column: number): Tint | null {
  const tint = tints[row];
  if (tint === undefined) return null;
  if (typeof tint === "string") return tint;
  return tint.includes(column) ? "edited" : null;
}
