import assert from "node:assert/strict";
import { mock, test } from "node:test";
import fc from "fast-check";
import type { Api } from "../src/api";
import { Reader } from "../src/reader";
import type { ChangedRow, Changes, Row, RowsPage, View } from "../src/types";

// Blocks are read by a timer while one scrolls: it runs when a test says so, not by the clock of a busy machine.
mock.timers.enable({ apis: ["setTimeout"] });

/** Let everything run that waits for answers which are delivered already. */
const runPromises = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface PendingRequest {
  path: string;
  query: Record<string, unknown>;
  answer?: unknown;
  deliver: (answer: unknown) => void;
}

/** A sheet whose responses are computed and delivered when the test says so: late, early and in any order. */
class Sheet {
  version = 1;
  values = new Map<number, string>();
  trash = new Set<number>();
  log: { version: number; id: number; kind: "add" | "edit" | "remove" | "restore" }[] = [];
  orders = new Map<string, number[]>();
  pending: PendingRequest[] = [];

  constructor(rows: number) {
    for (let id = 1; id <= rows; id++) this.values.set(id, `row ${id}`);
  }

  readonly api = {
    request: (path: string, { query = {} }: { query?: Record<string, unknown> } = {}) =>
      new Promise((deliver) => this.pending.push({ path, query, deliver })),
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

  /** Compute the response from the current state, however late it is delivered. */
  answer(request: PendingRequest): void {
    request.answer ??= this.response(request);
  }

  private response({ path, query }: PendingRequest): unknown {
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
    for (const { id, kind, version } of this.log.filter((entry) => entry.version > since)) {
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

  /** Answer all requests, those that follow from the answers and from timers too. */
  async settle(): Promise<void> {
    do {
      for (let request = this.pending.shift(); request; request = this.pending.shift()) {
        this.answer(request);
        request.deliver(request.answer);
        await runPromises();
      }
      mock.timers.runAll();
      await runPromises();
    } while (this.pending.length > 0);
  }
}

function open(sheet: Sheet, view: View = {}): Reader {
  const reader = new Reader(sheet.api, "/sheets/1", "1", { changed() {}, failed(problem) { throw problem; }, columnsChanged() {} });
  void reader.open(view);
  return reader;
}

/** The rows on the lines, without the struck-out ones. */
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
    reader.blocks.setVisible([[0, 20]]);
    await sheet.settle();
  };
  await sheet.settle();
  await follow();
  return { sheet, reader, follow };
}

test("the order of a view is requested once its first rows are there", async () => {
  const sheet = new Sheet(3);
  const reader = open(sheet);
  const [first] = sheet.pending.splice(0);
  assert.equal(first!.path, "/sheets/1/rows");
  sheet.answer(first!);
  first!.deliver(first!.answer);
  await runPromises();
  assert.deepEqual(shown(reader).map(([id]) => id), [1, 2, 3]);
  assert.ok(sheet.pending.some((request) => request.path.endsWith("/order")));
  await sheet.settle();
  sheet.write(2);
  void reader.follow();
  await sheet.settle();
  assert.equal(reader.rows.get(2)?.values[1], "v2");
});

test("however answers are delayed and reordered, the grid ends equal to the sheet", async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constantFrom("answer", "deliver"), which: fc.nat(5) }),
    fc.record({ kind: fc.constantFrom("add", "edit", "throw", "wake"), which: fc.nat(5) }),
    // The server pushes changes: read now, delivered at once or later, perhaps after the response to a request.
    fc.record({ kind: fc.constantFrom("read", "push", "push and wake"), which: fc.nat(5) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 4 }), fc.array(step, { maxLength: 18 }), async (rowCount, steps) => {
      const sheet = new Sheet(rowCount);
      const reader = open(sheet);
      const unsent: [number, Changes][] = [];
      let since = 0;
      for (const { kind, which } of steps) {
        const request = sheet.pending[which % Math.max(sheet.pending.length, 1)];
        if (kind === "add") sheet.write(null);
        else if (kind === "edit") sheet.write(1 + (which % sheet.values.size));
        else if (kind === "throw") sheet.throw(1 + (which % sheet.values.size));
        else if (kind === "wake") void reader.follow();
        else if (kind === "read") {
          // From the version that the reader has, or from the one that was pushed last.
          since = which % 2 ? since : Math.max(reader.version, 0);
          unsent.push([since, sheet.changes(since)]);
          since = sheet.version;
        } else if (kind.startsWith("push")) {
          for (const [from, changes] of unsent.splice(0)) reader.push(from, changes);
          if (kind === "push and wake") void reader.follow();
        } else if (request && kind === "answer") sheet.answer(request);
        else if (request) {
          sheet.pending.splice(sheet.pending.indexOf(request), 1);
          sheet.answer(request);
          request.deliver(request.answer);
        }
        reader.blocks.setVisible([[0, 20]]);
        mock.timers.tick(which * 15);
        await runPromises();
      }
      await sheet.settle();
      void reader.follow();
      await sheet.settle();
      assert.equal(reader.version, sheet.version);
      assert.equal(reader.total, sheet.alive.length);
      const rows = shown(reader).sort(([a], [b]) => a - b);
      assert.deepEqual(rows, sheet.alive.map((id) => [id, sheet.values.get(id)]));
    }),
    { numRuns: 150 },
  );
});

test("a page that was read before the first one and arrives after it does not define the order", async () => {
  const sheet = new Sheet(1);
  const reader = open(sheet);
  const [first, order] = sheet.pending.splice(0);
  reader.blocks.setVisible([[0, 20]]);
  const [older] = sheet.pending.splice(0);
  sheet.write(null);
  sheet.answer(older!);
  sheet.write(null);
  for (const request of [first!, older!]) {
    sheet.answer(request);
    request.deliver(request.answer);
    await runPromises();
  }
  sheet.pending.unshift(order!);
  await sheet.settle();
  assert.deepEqual(shown(reader).map(([id]) => id), [1, 2, 3]);
});

test("a row that was read while it was in the trash is shown with its values once it is restored", async () => {
  const { sheet, reader } = await opened(1);
  sheet.write(1);
  sheet.throw(1);
  reader.blocks.refresh();
  reader.blocks.setVisible([[0, 20]]);
  mock.timers.runAll();
  assert.ok(sheet.pending.length > 0);
  sheet.pending.forEach((request) => sheet.answer(request));
  sheet.throw(1);
  void reader.follow();
  await sheet.settle();
  assert.deepEqual(shown(reader), [[1, "v2"]]);
});

test("a deleted row that is restored is shown on its line again, with its values", async () => {
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

test("a row deleted before the grid was opened appears below the others when it is restored, until the order is refreshed", async () => {
  const sheet = new Sheet(3);
  sheet.throw(1);
  const reader = open(sheet);
  await sheet.settle();
  sheet.throw(1);
  void reader.follow();
  await sheet.settle();
  assert.deepEqual(shown(reader).map(([id]) => id), [2, 3, 1]);
  assert.ok(reader.stale);
  reader.blocks.setVisible([[0, 20]]);
  void reader.refresh();
  await sheet.settle();
  assert.deepEqual(shown(reader).map(([id]) => id), [1, 2, 3]);
});

test("a restored row of a sorted view is announced, not inserted while somebody works", async () => {
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

test("changes that the server pushed are not requested", async () => {
  const { sheet, reader } = await opened(3);
  const requests: string[] = [];
  const { request } = sheet.api as unknown as { request: (path: string, more: object) => Promise<unknown> };
  (sheet.api as unknown as { request: typeof request }).request = (path, more) => (requests.push(path), request(path, more));
  for (const id of [2, 3]) {
    const since = sheet.version;
    sheet.write(id);
    reader.push(since, sheet.changes(since));
  }
  void reader.follow();
  await runPromises();
  assert.deepEqual(shown(reader), [[1, "row 1"], [2, "v2"], [3, "v3"]]);
  assert.equal(reader.version, 3);
  assert.deepEqual(requests, []);
});

test("changes pushed after a gap are requested from before the gap", async () => {
  const { sheet, reader, follow } = await opened(3);
  sheet.write(1);
  const since = sheet.version;
  sheet.write(2);
  reader.push(since, sheet.changes(since));
  await follow();
  assert.deepEqual(shown(reader), [[1, "v2"], [2, "v3"], [3, "row 3"]]);
});

test("an edit of a column deep in a filter of groups makes the order stale, one of another column does not", async () => {
  const condition = { column: 1, op: "is", value: "x" };
  const { sheet, reader, follow } = await opened(2, { filter: { any: [{ column: 7, op: "is_empty" }, { all: [condition] }] } });
  reader.cellsChanged([2]);
  assert.equal(reader.stale, false);
  sheet.write(1);
  await follow();
  assert.ok(reader.stale);
});

test("a filter without conditions is not a filter", async () => {
  const { reader } = await opened(1, { filter: { all: [] } });
  assert.ok(reader.plain);
});
