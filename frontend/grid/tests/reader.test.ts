import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Api } from "../src/api";
import { Reader } from "../src/reader";
import type { Changes, RowsPage, View } from "../src/types";

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
  log: { version: number; id: number; value: string; added: boolean }[] = [];
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
    const value = `v${++this.version}`;
    this.log.push({ version: this.version, id: row, value, added: !this.values.has(row) });
    this.values.set(row, value);
  }

  /** The server reads: what it answers is true now, however late it arrives. */
  answer(asked: Waiting): void {
    asked.answer ??= this.made(asked);
  }

  private made({ path, query }: Waiting): unknown {
    if (path.endsWith("/order")) {
      const order = `o${this.orders.size}`;
      this.orders.set(order, [...this.values.keys()]);
      return { order, version: this.version, total: this.values.size };
    }
    if (path.endsWith("/changes")) return this.changes(Number(query.since));
    const ids = this.orders.get(String(query.order)) ?? [...this.values.keys()];
    const offset = Number(query.offset);
    const rows = ids.slice(offset, offset + Number(query.limit)).map((id) => ({ id, values: { 1: this.values.get(id)! } }));
    return { version: this.version, order: null, total: null, rows } satisfies RowsPage;
  }

  private changes(since: number): Changes {
    const rows = new Map<number, NonNullable<Changes["rows"]>[number]>();
    for (const line of this.log.filter((one) => one.version > since)) {
      const known = rows.get(line.id);
      rows.set(line.id, {
        id: line.id, values: { 1: line.value }, versions: { 1: line.version }, by: { id: "9", name: "Ben" },
        added: line.added || known?.added,
      });
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

const shown = (reader: Reader, rows: number): (string | undefined)[] =>
  Array.from({ length: rows }, (_, id) => reader.rows.get(id + 1)?.values[1] as string | undefined);

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
    fc.record({ kind: fc.constantFrom("add", "edit", "wake"), which: fc.nat(5) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 4 }), fc.array(step, { maxLength: 14 }), async (rows, steps) => {
      const sheet = new Sheet(rows);
      const reader = open(sheet);
      for (const { kind, which } of steps) {
        const asked = sheet.waiting[which % Math.max(sheet.waiting.length, 1)];
        if (kind === "add") sheet.write(null);
        else if (kind === "edit") sheet.write(1 + (which % sheet.values.size));
        else if (kind === "wake") void reader.follow();
        else if (asked && kind === "answer") sheet.answer(asked);
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
      assert.equal(reader.total, sheet.values.size);
      assert.deepEqual(shown(reader, sheet.values.size), [...sheet.values.values()]);
    }),
    { numRuns: 60 },
  );
});
