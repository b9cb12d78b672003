// Totals are read once for many changes, never twice at a time, and an old answer never replaces a newer question's.

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import type { Api } from "../src/api";
import { functionOf, functionsOf, READ_INTERVAL, SETTLE, ViewTotals } from "../src/totals";
import type { Column, Totals } from "../src/types";
import { traitsOf } from "./traits";

mock.timers.enable({ apis: ["setTimeout"] });
const runPromises = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

let requests: { query: Record<string, string>; answer: (totals: Partial<Totals>) => void }[] = [];
let version = 1;
const api = {
  request: (_path: string, { query }: { query: Record<string, string> }) =>
    new Promise((resolve) => requests.push({ query, answer: (totals) => resolve({ version, rows: 0, all_rows: 0, totals: {}, groups: [], ...totals }) })),
} as unknown as Api;
const column = (type: string): Column => ({ id: 4, name: "", type, rules: {}, options: [], ...traitsOf(type) });

beforeEach(() => {
  requests = [];
  version = 1;
});

function opened(): ViewTotals {
  const totals = new ViewTotals(api, "/sheets/1", { changed: () => undefined, version: () => version });
  totals.show({});
  totals.want([{ column: 4, function: "sum" }]);
  return totals;
}

async function answer(totals: Partial<Totals>): Promise<void> {
  requests.at(-1)?.answer(totals);
  await runPromises();
}

test("many changes lead to one read, some time after them", async () => {
  const totals = opened();
  await answer({ totals: { "4:sum": "5" } });
  assert.equal(totals.value(4, "sum"), "5");
  const read = requests.length;
  version = 9;
  for (let change = 0; change < 20; change++) totals.follow();
  assert.equal(requests.length, read);
  mock.timers.tick(Math.max(SETTLE, READ_INTERVAL) + 1);
  await runPromises();
  assert.equal(requests.length, read + 1);
  assert.equal(totals.value(4, "sum"), "5", "the old totals stay until the new ones are there");
  await answer({ totals: { "4:sum": "7" } });
  assert.equal(totals.value(4, "sum"), "7");
});

test("a change while totals are read leads to one more read, and none without a change", async () => {
  const totals = opened();
  version = 2;
  totals.follow();
  const read = requests.length;
  requests.at(-1)?.answer({ version: 1 });
  await runPromises();
  mock.timers.tick(READ_INTERVAL + 1);
  await runPromises();
  assert.equal(requests.length, read + 1);
  await answer({ version: 2 });
  totals.follow();
  mock.timers.tick(READ_INTERVAL + 1);
  assert.equal(requests.length, read + 1);
});

test("rows of a related sheet that changed lead to one more read, at the same version", async () => {
  const totals = opened();
  await answer({});
  const read = requests.length;
  totals.refresh();
  mock.timers.tick(READ_INTERVAL + 1);
  totals.refresh();
  await answer({});
  mock.timers.tick(READ_INTERVAL + 1);
  await answer({});
  mock.timers.tick(READ_INTERVAL + 1);
  assert.equal(requests.length, read + 2, "one for the change, and one for that during the read");
});

test("the answer to an older question is dropped", async () => {
  const totals = opened();
  const old = requests.at(-1);
  totals.show({ search: "acme" });
  await answer({ rows: 2 });
  old?.answer({ rows: 99 });
  await runPromises();
  assert.equal(totals.current?.rows, 2);
  assert.equal(requests.at(-1)?.query.search, "acme");
});

test("a group has its totals by its values", async () => {
  const totals = opened();
  await answer({ groups: [{ values: ["o1", null], rows: 3, totals: {} }] });
  assert.equal(totals.group('["o1",null]')?.rows, 3);
});

test("a column has the functions of its form, and money is added up without a choice", () => {
  assert.deepEqual(functionsOf(column("text")), ["filled", "empty", "unique"]);
  assert.ok(functionsOf(column("date")).includes("max"));
  assert.equal(functionOf(column("money"), {}), "sum");
  assert.equal(functionOf(column("money"), { 4: null }), null);
  assert.equal(functionOf(column("number"), {}), null);
  assert.equal(functionOf(column("text"), { 4: "sum" }), null, "the column had another type when it was chosen");
});
