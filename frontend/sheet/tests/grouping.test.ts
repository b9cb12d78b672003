// The lines of a grouped view: headers above the rows of open groups, whatever is folded.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { groupKey, Grouping } from "../src/grouping";
import type { GroupTotals } from "../src/types";

const group = (rows: number, ...values: string[]): GroupTotals => ({ values, rows, totals: {} });
const TWO_LEVELS = [group(3, "a"), group(2, "a", "x"), group(1, "a", "y"), group(1, "b"), group(1, "b", "x")];

function shown(grouping: Grouping): string[] {
  return Array.from({ length: grouping.lines }, (_, line) => {
    const place = grouping.at(line);
    return typeof place === "number" ? String(place) : place.values.join("/");
  });
}

test("each group has its header above its rows, an outer one above the groups in it", () => {
  assert.deepEqual(shown(new Grouping(TWO_LEVELS, new Set())), ["a", "a/x", "0", "1", "a/y", "2", "b", "b/x", "3"]);
});

test("a folded group keeps its header, and a folded outer group hides the headers in it", () => {
  assert.deepEqual(shown(new Grouping(TWO_LEVELS, new Set([groupKey(["a", "x"])]))), ["a", "a/x", "a/y", "2", "b", "b/x", "3"]);
  assert.deepEqual(shown(new Grouping(TWO_LEVELS, new Set([groupKey(["a"])]))), ["a", "b", "b/x", "3"]);
});

test("the positions of visible lines leave out what is folded", () => {
  const grouping = new Grouping([group(1000, "a"), group(5, "b"), group(1000, "c")], new Set([groupKey(["a"]), groupKey(["b"])]));
  assert.deepEqual(grouping.spans([0, 10]), [[1005, 1012]]);
  assert.deepEqual(new Grouping(TWO_LEVELS, new Set()).spans([0, 8]), [[0, 1], [2, 2], [3, 3]]);
});

test("every row of an open group stands on exactly one line, in the order", () => {
  const sizes = fc.array(fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 3 }), { maxLength: 4 });
  fc.assert(fc.property(sizes, fc.infiniteStream(fc.boolean()), (outer, folds) => {
    const groups = outer.flatMap((inner, i) => [
      group(inner.reduce((sum, rows) => sum + rows, 0), `${i}`), ...inner.map((rows, j) => group(rows, `${i}`, `${j}`)),
    ]);
    const folded = new Set(groups.map(({ values }) => groupKey(values)).filter(() => folds.next().value));
    let position = 0;
    const expected = groups.filter(({ values }) => values.length === 2).flatMap(({ values, rows }) => {
      const positions = Array.from({ length: rows }, () => position++);
      return folded.has(groupKey(values)) || folded.has(groupKey(values.slice(0, 1))) ? [] : positions;
    });
    const grouping = new Grouping(groups, folded);
    const lines = Array.from({ length: grouping.lines }, (_, line) => grouping.at(line));
    assert.deepEqual(lines.filter((place) => typeof place === "number"), expected);
    const spans = grouping.spans([0, grouping.lines]);
    assert.deepEqual(spans.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, i) => first + i)), expected);
  }));
});
