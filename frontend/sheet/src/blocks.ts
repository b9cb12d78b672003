// Rows by position, in blocks of a hundred: visible blocks are read first, reads of blocks that scrolled away are cancelled,
// and the number of loaded blocks is limited, so that a million rows need no more memory than a few thousand.

import type { Span } from "./grouping";
import type { RowsPage } from "./types";

export const BLOCK = 100;
const MAX_BLOCKS = 200;
const MAX_PARALLEL_READS = 4;
/** The least time (ms) between reads while the scroll bar is dragged. */
const MIN_INTERVAL = 60;

export interface BlockSource {
  read: (offset: number, limit: number, signal: AbortSignal) => Promise<RowsPage>;
  received: (page: RowsPage) => void;
  failed: (error: unknown) => void;
  /** A block was evicted; its rows may be forgotten. */
  dropped: (ids: number[]) => void;
}

export class Blocks {
  /** Increases whenever another row comes to a position that has one. */
  moves = 0;
  /** In order of last use: the first one is evicted first. */
  private blocks = new Map<number, number[]>();
  private reading = new Map<number, AbortController>();
  private visible: number[] = [];
  /** Read for a paste, a fill or a copy, which needs them all at once. */
  private pinned = new Set<number>();
  private startedAt = -Infinity;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private source: BlockSource) {}

  idAt(position: number): number | undefined {
    return this.blocks.get(Math.floor(position / BLOCK))?.[position % BLOCK];
  }

  get busy(): boolean {
    return this.reading.size > 0;
  }

  hasAll(first: number, last: number): boolean {
    return last < first || range(Math.floor(first / BLOCK), Math.floor(last / BLOCK)).every((block) => this.blocks.has(block));
  }

  put(block: number, ids: number[]): void {
    if (this.blocks.get(block)?.some((id, i) => ids[i] !== id)) this.moves += 1;
    this.blocks.delete(block);
    this.blocks.set(block, ids);
    for (const [oldBlock, oldIds] of this.blocks) {
      if (this.blocks.size <= MAX_BLOCKS) break;
      if (this.visible.includes(oldBlock) || this.pinned.has(oldBlock)) continue;
      this.blocks.delete(oldBlock);
      this.source.dropped(oldIds);
    }
  }

  /** Set the visible positions: read missing blocks and cancel reads of blocks that scrolled away. */
  setVisible(spans: readonly Span[]): void {
    const blocks = [...new Set(spans.flatMap(([first, last]) => range(Math.floor(first / BLOCK), Math.floor(last / BLOCK))))];
    this.visible = blocks;
    this.pinned.clear();
    for (const [block, reading] of this.reading) {
      if (blocks.includes(block)) continue;
      reading.abort();
      this.reading.delete(block);
    }
    for (const block of blocks) this.touch(block);
    clearTimeout(this.timer);
    const wait = this.startedAt + MIN_INTERVAL - performance.now();
    if (wait <= 0) this.readMissing();
    else this.timer = setTimeout(() => this.readMissing(), wait);
  }

  /** Load all of these positions. */
  async load(first: number, last: number): Promise<void> {
    const needed = range(Math.floor(first / BLOCK), Math.floor(last / BLOCK));
    for (const block of needed) this.pinned.add(block);
    const missing = needed.filter((block) => !this.blocks.has(block));
    for (let i = 0; i < missing.length; i += MAX_PARALLEL_READS) {
      await Promise.all(missing.slice(i, i + MAX_PARALLEL_READS).map((block) => this.read(block, new AbortController())));
    }
  }

  /** Read everything again; the old rows stay visible until the new ones arrive. */
  refresh(): void {
    this.stop();
    const visible = new Set(this.visible);
    for (const [block, ids] of this.blocks) {
      if (visible.has(block)) continue;
      this.blocks.delete(block);
      this.source.dropped(ids);
    }
    for (const block of visible) this.start(block);
  }

  /** Read visible blocks again whose read failed. */
  retry(): void {
    this.readMissing();
  }

  clear(): void {
    this.stop();
    for (const ids of this.blocks.values()) this.source.dropped(ids);
    this.blocks.clear();
  }

  stop(): void {
    clearTimeout(this.timer);
    for (const reading of this.reading.values()) reading.abort();
    this.reading.clear();
  }

  private touch(block: number): void {
    const ids = this.blocks.get(block);
    if (ids) this.put(block, ids);
  }

  private readMissing(): void {
    for (const block of this.visible) {
      if (this.reading.size >= MAX_PARALLEL_READS) return;
      if (this.blocks.has(block) || this.reading.has(block)) continue;
      this.startedAt = performance.now();
      this.start(block);
    }
  }

  private start(block: number): void {
    const reading = new AbortController();
    this.reading.set(block, reading);
    void this.read(block, reading)
      .catch((error: unknown) => {
        if (!reading.signal.aborted) this.source.failed(error);
      })
      .finally(() => {
        if (this.reading.get(block) === reading) this.reading.delete(block);
        if (!reading.signal.aborted && this.blocks.has(block)) this.readMissing();
      });
  }

  private async read(block: number, reading: AbortController): Promise<void> {
    const page = await this.source.read(block * BLOCK, BLOCK, reading.signal);
    if (reading.signal.aborted) return;
    this.put(block, page.rows.map((row) => row.id));
    this.source.received(page);
  }
}

function range(first: number, last: number): number[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
}
