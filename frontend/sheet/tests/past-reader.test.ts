import assert from "node:assert/strict";
import { test } from "node:test";
import { Problem, type Api } from "../src/api";
import { PastReader, tintOf } from "../src/past-reader";

interface Request {
  path: string;
  query: Record<string, unknown>;
}

/** A server with 250 rows of the past. It records its requests, and can forget the first orders. */
function server(forgotten = 0): { api: Api; requests: Request[] } {
  const requests: Request[] = [];
  let orders = 0;
  const request = (path: string, { query = {} }: { query?: Record<string, unknown> } = {}): Promise<unknown> => {
    requests.push({ path, query });
    if (path.endsWith("/order")) return Promise.resolve({ order: `o${++orders}`, version: 7, total: 250 });
    if (orders <= forgotten) return Promise.reject(new Problem(410, "gone", "No longer kept."));
    const [offset, limit] = [Number(query.offset), Number(query.limit)];
    const ids = Array.from({ length: Math.min(limit, 250 - offset) }, (_, n) => offset + n + 1);
    return Promise.resolve({ version: 7, rows: ids.map((id) => ({ id, values: { 1: `row ${id}` } })) });
  };
  return { api: { request } as unknown as Api, requests };
}

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 150));

test("rows of the past are read by position, all requests as of one version", async () => {
  const { api, requests } = server();
  const past = new PastReader(api, "/sheets/1", "version:7");
  await past.open({ sort: [{ column: 1, descending: true }] });
  await settled();
  assert.equal(past.total, 250);
  assert.deepEqual(past.rowAt(0), { id: 1, values: { 1: "row 1" } });
  assert.equal(past.rowAt(200), null);
  past.blocks.setVisible([[200, 249]]);
  await settled();
  assert.deepEqual(past.rowAt(249), { id: 250, values: { 1: "row 250" } });
  assert.deepEqual([...new Set(requests.map(({ query }) => query.as_of))], ["version:7"]);
  assert.ok(requests.slice(1).every(({ query }) => query.order === "o1" && query.sort));
  past.end();
});

test("an order that is no longer kept is made again", async () => {
  const { api } = server(1);
  const past = new PastReader(api, "/sheets/1", "version:7");
  await past.open({});
  await settled();
  assert.deepEqual(past.rowAt(5), { id: 6, values: { 1: "row 6" } });
  assert.equal(past.problemText, null);
  past.end();
});

test("of two views that are opened one after the other only the rows of the second are read", async () => {
  const { api, requests } = server();
  const past = new PastReader(api, "/sheets/1", "version:7");
  await Promise.all([past.open({ search: "a" }), past.open({ search: "b" })]);
  await settled();
  assert.deepEqual(requests.filter(({ path }) => path.endsWith("/rows")).map(({ query }) => query.search), ["b"]);
  past.end();
});

test("an edited cell is tinted alone, an added or deleted row in every cell", () => {
  const tints = { 4: [1, 3], 5: "added", 6: "deleted" } as const;
  const mutableTints = { ...tints, 4: [...tints[4]] };
  assert.equal(tintOf(mutableTints, 4, 3), "edited");
  assert.equal(tintOf(mutableTints, 4, 2), null);
  assert.equal(tintOf(mutableTints, 5, 2), "added");
  assert.equal(tintOf(mutableTints, 6, 9), "deleted");
  assert.equal(tintOf(mutableTints, 7, 1), null);
});
