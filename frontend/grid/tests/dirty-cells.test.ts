import assert from "node:assert/strict";
import { test } from "node:test";
import { changedCells, type Fingerprint } from "../src/dirty-cells";

const spots = (given: Record<string, Fingerprint>): Map<string, Fingerprint> => new Map(Object.entries(given));

test("nothing is drawn where everything is as it was", () => {
  const glow = { since: 1, by: "2" };
  assert.deepEqual(changedCells(spots({ "0:0": [1, "a", glow] }), spots({ "0:0": [1, "a", glow] })), []);
});

test("a cell is drawn when anything in it is different, and no other", () => {
  const before = spots({ "0:0": [1, "a", null], "3:12": [2, "b", null], "4:12": [2, "c", null] });
  const now = spots({ "0:0": [1, "a", null], "3:12": [2, "x", null], "4:12": [2, "c", { since: 1 }] });
  assert.deepEqual(changedCells(before, now), [[3, 12], [4, 12]]);
});

test("a cell that came into sight is drawn, one that went out of sight is not", () => {
  assert.deepEqual(changedCells(spots({ "0:0": [1, "a"] }), spots({ "0:1": [2, "a"] })), [[0, 1]]);
});
