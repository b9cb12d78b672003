// The menu of a header: what it does to sorts, groups and frozen columns.

import assert from "node:assert/strict";
import { test } from "node:test";
import { headerEntries, type HeaderActs, type HeaderFacts } from "../src/header-menu";
import { traitsOf } from "../../sheet/tests/traits";
import type { Column, Layout, Sort } from "../../sheet/src/types";

const LAYOUT: Layout = { widths: {}, hidden: [], order: [], frozen: 1, groups: [], totals: {}, colors: [] };
const column = (type = "choice"): Column =>
  ({ id: 3, name: "Stage", type, rules: {}, options: [], filters: [{ op: "is_empty", label: "is empty", takes: "none" }], ...traitsOf(type) });

function menu(more: Partial<HeaderFacts> = {}): { labels: string[]; press: (label: string) => void; sorts: Sort[][]; changes: Partial<Layout>[] } {
  const [sorts, changes]: [Sort[][], Partial<Layout>[]] = [[], []];
  const none = (): void => undefined;
  const acts: HeaderActs = {
    edit: none, filter: none, color: none, settings: none, addColumn: none,
    sort: (sort) => sorts.push(sort), arrange: (change) => changes.push(change),
  };
  const entries = headerEntries({ column: column(), index: 2, sort: [], layout: LAYOUT, canConfigure: true, canView: true, ...more }, acts);
  return { labels: entries.map(({ label }) => label), press: (label) => entries.find((entry) => entry.label === label)?.act(), sorts, changes };
}

test("a second sort is added behind the first, and only where there is a first", () => {
  assert.ok(!menu().labels.includes("Then sort descending"));
  const sorted = menu({ sort: [{ column: 7, descending: false }] });
  sorted.press("Then sort descending");
  sorted.press("Sort ascending");
  assert.deepEqual(sorted.sorts, [[{ column: 7, descending: false }, { column: 3, descending: true }], [{ column: 3, descending: false }]]);
});

test("rows are grouped by at most two columns", () => {
  const group = (id: number): Sort => ({ column: id, descending: false });
  const first = menu();
  first.press("Group by this column");
  assert.deepEqual(first.changes, [{ groups: [group(3)] }]);
  const second = menu({ layout: { ...LAYOUT, groups: [group(7)] } });
  second.press("Then group by this column");
  assert.deepEqual(second.changes, [{ groups: [group(7), group(3)] }]);
  assert.ok(!menu({ layout: { ...LAYOUT, groups: [group(7), group(8)] } }).labels.includes("Then group by this column"));
  const grouped = menu({ layout: { ...LAYOUT, groups: [group(7), group(3)] } });
  grouped.press("Don't group by this column");
  assert.deepEqual(grouped.changes, [{ groups: [group(7)] }]);
});

test("what has hardly two equal cells has no groups", () => {
  for (const type of ["choices", "datetime", "long_text"]) assert.ok(!menu({ column: column(type) }).labels.includes("Group by this column"));
});

test("columns are frozen up to one, and released there", () => {
  const facts = menu();
  facts.press("Freeze up to here");
  assert.deepEqual(facts.changes, [{ frozen: 3 }]);
  const frozen = menu({ layout: { ...LAYOUT, frozen: 3 } });
  frozen.press("Freeze up to here");
  assert.deepEqual(frozen.changes, [{ frozen: 0 }]);
});

test("who may not change columns or the view has no entries for it", () => {
  const visitor = menu({ canConfigure: false, canView: false }).labels;
  assert.ok(!visitor.some((label) => /Rename|settings|Add a column|Filter|Colour/.test(label)));
  assert.ok(visitor.includes("Hide column"));
  assert.ok(!menu({ index: 0 }).labels.includes("Hide column"));
});
