import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Rows } from "../src/rows";
import type { ChangedRow } from "../src/types";

const change = (value: string, version: number, by = "2"): ChangedRow => ({
  id: 1, values: { 3: value }, versions: { 3: version }, by: { id: by, name: "Ben" },
});

function known(value: string, version: number): Rows {
  const rows = new Rows();
  rows.put({ id: 1, values: { 3: value } }, version);
  return rows;
}

test("a change of somebody else is shown and glows in their name", () => {
  const rows = known("a", 5);
  rows.applyChange(change("b", 6), 6, "1", 1000);
  assert.equal(rows.get(1)?.values[3], "b");
  assert.deepEqual(rows.get(1)?.highlights[3], { since: 1000, by: "2" });
});

test("my own change does not glow", () => {
  const rows = known("a", 5);
  rows.applyChange(change("b", 6, "1"), 6, "1", 1000);
  assert.equal(rows.get(1)?.highlights[3], undefined);
});

test("a removed row stays in its place, marked, and comes back when it is restored", () => {
  const rows = known("a", 5);
  rows.applyChange({ id: 1, values: {}, versions: {}, removed: true }, 6, "1", 0);
  assert.ok(rows.get(1)?.removed);
  rows.applyChange({ id: 1, values: {}, versions: {}, removed: false }, 7, "1", 0);
  assert.equal(rows.get(1)?.removed, false);
});

test("an edit is based on the version that the cell was seen at", () => {
  const rows = known("a", 5);
  rows.applySaved(1, 3, "mine", 9);
  assert.equal(rows.versionOf(1, 3), 9);
  assert.equal(rows.versionOf(1, 4), 5);
});

test("answers that arrive in any order leave the newest value", () => {
  const history = ["v0", "v1", "v2", "v3", "v4", "v5"];
  const page = fc.record({ kind: fc.constant("page"), at: fc.integer({ min: 0, max: 5 }) });
  const changes = fc.record({ kind: fc.constant("changes"), at: fc.integer({ min: 1, max: 5 }) });
  const mine = fc.record({ kind: fc.constant("mine"), at: fc.integer({ min: 1, max: 5 }) });
  fc.assert(
    fc.property(fc.array(fc.oneof(page, changes, mine)), (answers) => {
      const rows = known("v0", 0);
      for (const { kind, at } of answers) {
        const value = history[at] ?? "";
        if (kind === "page") rows.put({ id: 1, values: { 3: value } }, at);
        else if (kind === "changes") rows.applyChange(change(value, at), at, "1", 0);
        else rows.applySaved(1, 3, value, at);
      }
      const newest = Math.max(0, ...answers.map((answer) => answer.at));
      assert.equal(rows.get(1)?.values[3], history[newest]);
    }),
    { numRuns: 500 },
  );
});
