// Each row is asked for once until it changes, and its old answer stands until the new one is there.

import assert from "node:assert/strict";
import { mock, test } from "node:test";
import type { Api } from "../src/api";
import { GATHER, RowMatches } from "../src/matches";

mock.timers.enable({ apis: ["setTimeout"] });
const runPromises = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const asked: string[] = [];
let matching: number[][] = [];
const api = {
  request: async (_path: string, { query }: { query: { rows: string } }) => {
    asked.push(query.rows);
    return { matches: matching };
  },
} as unknown as Api;

async function settle(): Promise<void> {
  mock.timers.tick(GATHER + 1);
  await runPromises();
}

test("rows that came together are one request, and a changed row alone is asked for again", async () => {
  const matches = new RowMatches(api, "/sheets/1", () => undefined);
  matches.watch([{ id: 1, stamp: 1 }]);
  await settle();
  assert.deepEqual(asked, [], "nothing is asked without a question");
  matching = [[2], [1, 2]];
  matches.ask([{ search: "a" }, {}]);
  matches.watch([{ id: 1, stamp: 1 }, { id: 2, stamp: 1 }]);
  await settle();
  assert.deepEqual(asked, ["1,2"]);
  assert.deepEqual(matches.of(1), [false, true]);
  matches.watch([{ id: 1, stamp: 2 }, { id: 2, stamp: 1 }]);
  assert.deepEqual(matches.of(1), [false, true]);
  matching = [[1], [1]];
  await settle();
  assert.deepEqual(asked, ["1,2", "1"]);
  assert.deepEqual([matches.of(1), matches.of(2)], [[true, true], [true, true]]);
  matches.ask([{ search: "b" }]);
  assert.equal(matches.of(1), undefined, "the answers to other questions are forgotten");
});
