// Rows by position, in blocks of a hundred: what is looked at is read first, what is no longer looked at is not read,
// and only so many blocks are kept, so a million rows cost what a few thousand do.

import type { RowsPage } from "./types";

export const BLOCK = 100;
const MAX_BLOCKS = 200;
const MAX_PARALLEL_READS = 4;
/** While somebody drags the scroll bar, reading starts this often and no more. */
const MIN_INTERVAL = 60;

export interface BlockSource {
  read: (offset: number, limit: number, signal: AbortSignal) => Promise<RowsPage>;
  received: (page: RowsPage) => void;
  failed: (error: unknown) => void;
  /** A block was let go; its rows may be forgotten. */
  dropped: (ids: number[]) => void;
}

export class Blocks {
  /** In order of last use: the first is the one to let go. */
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
    this.blocks.delete(block);
    this.blocks.set(block, ids);
    for (const [oldBlock, oldIds] of this.blocks) {
      if (this.blocks.size <= MAX_BLOCKS) break;
      if (this.visible.includes(oldBlock) || this.pinned.has(oldBlock)) continue;
      this.blocks.delete(oldBlock);
      this.source.dropped(oldIds);
    }
  }

  /** Somebody looks at these positions: read what is missing, and stop reading what has scrolled away. */
  setVisible(first: number, last: number): void {
    const blocks = range(Math.floor(first / BLOCK), Math.floor(last / BLOCK));
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

  /** All of these positions, read where they are not known yet. */
  async load(first: number, last: number): Promise<void> {
    const needed = range(Math.floor(first / BLOCK), Math.floor(last / BLOCK));
    for (const block of needed) this.pinned.add(block);
    const missing = needed.filter((block) => !this.blocks.has(block));
    for (let i = 0; i < missing.length; i += MAX_PARALLEL_READS) {
      await Promise.all(missing.slice(i, i + MAX_PARALLEL_READS).map((block) => this.read(block, new AbortController())));
    }
  }

  /** Read everything again; what is shown stays until the new rows are here. */
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

  /** Ask again for what is looked at and did not come. */
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
