import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Api } from "../src/api";
import { Reader } from "../src/reader";
import type { ChangedRow, Changes, Row, RowsPage, View } from "../src/types";

interface Waiting {
  path: string;
  query: Record<string, unknown>;
  answer?: unknown;
  deliver: (answer: unknown) => void;
}

/** A sheet whose answers are made, and delivered, when the test says so: late, early and in any order. */
class Sheet {
  version = 1;
  values = new Map<number, string>();
  trash = new Set<number>();
  log: { version: number; id: number; kind: "add" | "edit" | "remove" | "restore" }[] = [];
  orders = new Map<string, number[]>();
  waiting: Waiting[] = [];

  constructor(rows: number) {
    for (let id = 1; id <= rows; id++) this.values.set(id, `row ${id}`);
  }

  readonly api = {
    ask: (path: string, { query = {} }: { query?: Record<string, unknown> } = {}) =>
      new Promise((deliver) => this.waiting.push({ path, query, deliver })),
  } as unknown as Api;

  write(id: number | null): void {
    const row = id ?? this.values.size + 1;
    if (this.trash.has(row)) return;
    this.log.push({ version: ++this.version, id: row, kind: this.values.has(row) ? "edit" : "add" });
    this.values.set(row, `v${this.version}`);
  }

  /** Into the trash, or out of it. */
  throw(id: number): void {
    const isBack = this.trash.delete(id);
    if (!isBack) this.trash.add(id);
    this.log.push({ version: ++this.version, id, kind: isBack ? "restore" : "remove" });
  }

  get alive(): number[] {
    return [...this.values.keys()].filter((id) => !this.trash.has(id));
  }

  /** The server reads: what it answers is true now, however late it arrives. */
  answer(asked: Waiting): void {
    asked.answer ??= this.made(asked);
  }

  private made({ path, query }: Waiting): unknown {
    if (path.endsWith("/order")) {
      const order = `o${this.orders.size}`;
      this.orders.set(order, this.alive);
      return { order, version: this.version, total: this.alive.length };
    }
    if (path.endsWith("/changes")) return this.changes(Number(query.since));
    const ids = this.orders.get(String(query.order)) ?? this.alive;
    const offset = Number(query.offset);
    const rows = ids.slice(offset, offset + Number(query.limit)).map((id): Row =>
      this.trash.has(id) ? { id, values: {}, deleted: true } : { id, values: { 1: this.values.get(id)! } });
    return { version: this.version, order: null, total: null, rows } satisfies RowsPage;
  }

  changes(since: number): Changes {
    const rows = new Map<number, ChangedRow>();
    for (const { id, kind, version } of this.log.filter((one) => one.version > since)) {
      const row = rows.get(id) ?? { id, values: {}, versions: {}, by: { id: "9", name: "Ben" } };
      row.added ||= kind === "add";
      row.restored ||= kind === "restore" && !row.removed;
      row.removed = kind === "remove";
      if (kind !== "remove") row.values = { 1: this.values.get(id)! };
      if (kind === "edit") row.versions = { 1: version };
      rows.set(id, row);
    }
    return { version: this.version, columns_version: 1, reset: false, rows: [...rows.values()] };
  }

  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 3; ) {
      const asked = this.waiting.shift();
      if (asked) {
        this.answer(asked);
        asked.deliver(asked.answer);
      }
      await new Promise((resolve) => setTimeout(resolve, asked ? 0 : 30));
      quiet = asked || this.waiting.length ? 0 : quiet + 1;
    }
  }
}

function open(sheet: Sheet, view: View = {}): Reader {
  const reader = new Reader(sheet.api, "/sheets/1", "1", { changed() {}, failed(problem) { throw problem; }, columnsMoved() {} });
  void reader.open(view);
  return reader;
}

/** What stands on the lines, without the rows that are struck out. */
function shown(reader: Reader): [number, unknown][] {
  const lines = Array.from({ length: reader.lines.count }, (_, y) => reader.lines.at(y));
  const rows = lines.map((line) => (line.kind === "row" ? reader.rows.get(line.id) : undefined));
  return rows.filter((row) => row !== undefined).filter((row) => !row.removed).map((row) => [row.id, row.values[1]]);
}

async function opened(rows: number, view: View = {}): Promise<{ sheet: Sheet; reader: Reader; follow: () => Promise<void> }> {
  const sheet = new Sheet(rows);
  const reader = open(sheet, view);
  const follow = async (): Promise<void> => {
    void reader.follow();
    reader.blocks.look(0, 20);
    await sheet.settle();
  };
  await sheet.settle();
  await follow();
  return { sheet, reader, follow };
}

test("a grid whose order and first block come before its first page follows all the same", async () => {
  const sheet = new Sheet(3);
  const reader = open(sheet);
  const [first, order] = sheet.waiting.splice(0);
  sheet.answer(order!);
  order!.deliver(order!.answer);
  await new Promise((resolve) => setTimeout(resolve, 0));
  reader.blocks.look(0, 2);
  await sheet.settle();
  sheet.answer(first!);
  first!.deliver(first!.answer);
  await sheet.settle();
  sheet.write(2);
  void reader.follow();
  await sheet.settle();
  assert.equal(reader.version, sheet.version);
  assert.equal(reader.rows.get(2)?.values[1], "v2");
});

test("however answers are delayed and reordered, the grid ends equal to the sheet", async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constantFrom("answer", "deliver"), which: fc.nat(5) }),
    fc.record({ kind: fc.constantFrom("add", "edit", "throw", "wake"), which: fc.nat(5) }),
    // The server tells by itself: read now, told at once or later, perhaps after what was asked for has come.
    fc.record({ kind: fc.constantFrom("read", "tell", "tell and wake"), which: fc.nat(5) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 4 }), fc.array(step, { maxLength: 18 }), async (rows, steps) => {
      const sheet = new Sheet(rows);
      const reader = open(sheet);
      const unsaid: [number, Changes][] = [];
      let since = 0;
      for (const { kind, which } of steps) {
        const asked = sheet.waiting[which % Math.max(sheet.waiting.length, 1)];
        if (kind === "add") sheet.write(null);
        else if (kind === "edit") sheet.write(1 + (which % sheet.values.size));
        else if (kind === "throw") sheet.throw(1 + (which % sheet.values.size));
        else if (kind === "wake") void reader.follow();
        else if (kind === "read") {
          // From the version that the reader has, or from the one that was told last.
          since = which % 2 ? since : Math.max(reader.version, 0);
          unsaid.push([since, sheet.changes(since)]);
          since = sheet.version;
        } else if (kind.startsWith("tell")) {
          for (const [from, changes] of unsaid.splice(0)) reader.tell(from, changes);
          if (kind === "tell and wake") void reader.follow();
        } else if (asked && kind === "answer") sheet.answer(asked);
        else if (asked) {
          sheet.waiting.splice(sheet.waiting.indexOf(asked), 1);
          sheet.answer(asked);
          asked.deliver(asked.answer);
        }
        reader.blocks.look(0, 20);
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
      await sheet.settle();
      void reader.follow();
      await sheet.settle();
      assert.equal(reader.version, sheet.version);
      assert.equal(reader.total, sheet.alive.length);
      const told = shown(reader).sort(([a], [b]) => a - b);
      assert.deepEqual(told, sheet.alive.map((id) => [id, sheet.values.get(id)]));
    }),
    { numRuns: 150 },
  );
});

test("a page that was read before the first one, and comes after it, does not stand for the order", async () => {
  const sheet = new Sheet(1);
  const reader = open(sheet);
  const [first, order] = sheet.waiting.splice(0);
  reader.blocks.look(0, 20);
  const [older] = sheet.waiting.splice(0);
  sheet.write(null);
  sheet.answer(older!);
  sheet.write(null);
  for (const asked of [first!, older!]) {
    sheet.answer(asked);
    asked.deliver(asked.answer);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  sheet.waiting.unshift(order!);
  await sheet.settle();
  assert.deepEqual(shown(reader).map(([id]) => id), [1, 2, 3]);
});

test("a row that was read while it was in the trash, for a moment, is shown with what it holds", async () => {
  const sheet = new Sheet(1);
  const reader = open(sheet);
  const [first, order] = sheet.waiting.splice(0);
  sheet.answer(order!);
  order!.deliver(order!.answer);
  await new Promise((resolve) => setTimeout(resolve, 0));
  reader.blocks.look(0, 20);
  sheet.write(1);
  sheet.throw(1);
  sheet.waiting.forEach((asked) => sheet.answer(asked));
  sheet.throw(1);
  sheet.answer(first!);
  first!.deliver(first!.answer);
  await sheet.settle();
  assert.deepEqual(shown(reader), [[1, "v2"]]);
});

test("a deleted row that is restored stands in its line again, with what it held", async () => {
  const { sheet, reader, follow } = await opened(3);
  sheet.throw(2);
  await follow();
  assert.deepEqual([reader.total, reader.lines.at(1)], [2, { kind: "row", id: 2 }]);
  assert.ok(reader.rows.get(2)?.removed);
  sheet.throw(2);
  await follow();
  assert.equal(reader.total, 3);
  assert.deepEqual(shown(reader), [[1, "row 1"], [2, "row 2"], [3, "row 3"]]);
});

test("a row deleted before the grid was opened comes back below, until the order is asked for again", async () => {
  const sheet = new Sheet(3);
  sheet.throw(1);
  const reader = open(sheet);
  await sheet.settle();
  sheet.throw(1);
  void reader.follow();
  await sheet.settle();
  assert.deepEqual(shown(reader).map(([id]) => id), [2, 3, 1]);
  assert.ok(reader.stale);
  reader.blocks.look(0, 20);
  void reader.refresh();
  await sheet.settle();
  assert.deepEqual(shown(reader).map(([id]) => id), [1, 2, 3]);
});

test("a restored row of a sorted view is announced, not pushed under the hand", async () => {
  const sheet = new Sheet(3);
  sheet.throw(1);
  const reader = open(sheet, { sort: [{ column: 2, descending: false }] });
  await sheet.settle();
  sheet.throw(1);
  void reader.follow();
  await sheet.settle();
  assert.deepEqual([...reader.fresh], [1]);
  assert.deepEqual(shown(reader).map(([id]) => id), [2, 3]);
});

test("what was told without being asked for is not asked for", async () => {
  const { sheet, reader } = await opened(3);
  const asked: string[] = [];
  const { ask } = sheet.api as unknown as { ask: (path: string, more: object) => Promise<unknown> };
  (sheet.api as unknown as { ask: typeof ask }).ask = (path, more) => (asked.push(path), ask(path, more));
  for (const id of [2, 3]) {
    const since = sheet.version;
    sheet.write(id);
    reader.tell(since, sheet.changes(since));
  }
  void reader.follow();
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.deepEqual(shown(reader), [[1, "row 1"], [2, "v2"], [3, "v3"]]);
  assert.equal(reader.version, 3);
  assert.deepEqual(asked, []);
});

test("what was told after a gap waits for nobody: the gap is asked for", async () => {
  const { sheet, reader, follow } = await opened(3);
  sheet.write(1);
  const since = sheet.version;
  sheet.write(2);
  reader.tell(since, sheet.changes(since));
  await follow();
  assert.deepEqual(shown(reader), [[1, "v2"], [2, "v3"], [3, "row 3"]]);
});
