// A new row begins with the cells that its view implies, and with its author as the owner.

import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultCells } from "../src/new-row";
import { traitsOf } from "../../sheet/tests/traits";
import type { Column, View } from "../../sheet/src/types";

const column = (id: number, type: string, more: Partial<Column> = {}): Column =>
  ({ id, name: `c${id}`, type, rules: {}, options: [], ...traitsOf(type), ...more });
const COLUMNS = [column(1, "text"), column(2, "choice"), column(3, "person"), column(4, "number"), column(5, "checkbox"), column(6, "choices"), column(7, "date")];

function cells(filter: View["filter"], columns = COLUMNS, owner: number | null = 3): Record<string, unknown> {
  return Object.fromEntries(defaultCells({ view: { filter }, columns, me: { id: "9", name: "Ann" }, owner_column: owner }));
}

test("the user is the owner of a new row, by id or by name", () => {
  assert.deepEqual(cells([]), { 3: { value: "9" } });
  assert.deepEqual(cells([], COLUMNS, 1), { 1: { text: "Ann" } });
  assert.deepEqual(cells([], COLUMNS, null), {});
});

test("conditions that one content fulfils are taken over", () => {
  const filter = [
    { column: 1, op: "is", value: "Acme" }, { column: 2, op: "is_any_of", value: ["o1"] }, { column: 4, op: "eq", value: "5" },
    { column: 5, op: "is_true" }, { column: 6, op: "has_all_of", value: ["a", "b"] }, { column: 7, op: "on", value: "2026-12-31" },
  ];
  assert.deepEqual(cells(filter, COLUMNS, null), {
    1: { text: "Acme" }, 2: { value: "o1" }, 4: { text: "5" }, 5: { value: true }, 6: { value: ["a", "b"] }, 7: { text: "2026-12-31" },
  });
});

test("conditions that several contents fulfil are not", () => {
  const filter = [{ column: 2, op: "is_any_of", value: ["o1", "o2"] }, { column: 4, op: "gt", value: "5" }, { column: 7, op: "on", value: "today" }];
  assert.deepEqual(cells(filter, COLUMNS, null), {});
});

test("only the conditions of a tree that all rows fulfil count", () => {
  const is = (value: string) => ({ column: 1, op: "is", value });
  assert.deepEqual(cells({ all: [is("a"), { any: [{ column: 4, op: "eq", value: "1" }, { column: 4, op: "eq", value: "2" }] }] }, COLUMNS, null), { 1: { text: "a" } });
  assert.deepEqual(cells({ any: [is("a"), is("b")] }, COLUMNS, null), {});
  assert.deepEqual(cells([{ column: 3, op: "is_any_of", value: ["me"] }], COLUMNS, null), { 3: { value: "9" } });
});

test("a column that the user may not change gets nothing", () => {
  assert.deepEqual(cells([{ column: 1, op: "is", value: "Acme" }], [column(1, "text", { read_only: true }), column(3, "person", { editor: "none" })]), {});
});
