import assert from "node:assert/strict";
import { test } from "node:test";
import { Problem, type Api } from "../src/api";
import { Past, tintOf } from "../src/past-reader";

interface Asked {
  path: string;
  query: Record<string, unknown>;
}

/** A server of 250 rows of the past; what it is asked is kept, and the first orders can be forgotten. */
function server(forgotten = 0): { api: Api; asked: Asked[] } {
  const asked: Asked[] = [];
  let orders = 0;
  const ask = (path: string, { query = {} }: { query?: Record<string, unknown> } = {}): Promise<unknown> => {
    asked.push({ path, query });
    if (path.endsWith("/order")) return Promise.resolve({ order: `o${++orders}`, version: 7, total: 250 });
    if (orders <= forgotten) return Promise.reject(new Problem(410, "gone", "No longer kept."));
    const [offset, limit] = [Number(query.offset), Number(query.limit)];
    const ids = Array.from({ length: Math.min(limit, 250 - offset) }, (_, n) => offset + n + 1);
    return Promise.resolve({ version: 7, rows: ids.map((id) => ({ id, values: { 1: `row ${id}` } })) });
  };
  return { api: { ask } as unknown as Api, asked };
}

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 150));

test("rows of the past are read by place, each request as of the same version", async () => {
  const { api, asked } = server();
  const past = new Past(api, "/sheets/1", "version:7");
  await past.open({ sort: [{ column: 1, descending: true }] });
  await settled();
  assert.equal(past.total, 250);
  assert.deepEqual(past.at(0), { id: 1, values: { 1: "row 1" } });
  assert.equal(past.at(200), null);
  past.blocks.look(200, 249);
  await settled();
  assert.deepEqual(past.at(249), { id: 250, values: { 1: "row 250" } });
  assert.deepEqual([...new Set(asked.map(({ query }) => query.as_of))], ["version:7"]);
  assert.ok(asked.slice(1).every(({ query }) => query.order === "o1" && query.sort));
  past.end();
});

test("an order that is no longer kept is made again", async () => {
  const { api } = server(1);
  const past = new Past(api, "/sheets/1", "version:7");
  await past.open({});
  await settled();
  assert.deepEqual(past.at(5), { id: 6, values: { 1: "row 6" } });
  assert.equal(past.trouble, null);
  past.end();
});

test("what is asked of another view in between is the last one's", async () => {
  const { api, asked } = server();
  const past = new Past(api, "/sheets/1", "version:7");
  await Promise.all([past.open({ search: "a" }), past.open({ search: "b" })]);
  await settled();
  assert.deepEqual(asked.filter(({ path }) => path.endsWith("/rows")).map(({ query }) => query.search), ["b"]);
  past.end();
});

test("an edited cell is tinted alone, a row that came or went in every cell", () => {
  const tints = { 4: [1, 3], 5: "added", 6: "deleted" } as const;
  const given = { ...tints, 4: [...tints[4]] };
  assert.equal(tintOf(given, 4, 3), "edited");
  assert.equal(tintOf(given, 4, 2), null);
  assert.equal(tintOf(given, 5, 2), "added");
  assert.equal(tintOf(given, 6, 9), "deleted");
  assert.equal(tintOf(given, 7, 1), null);
});
