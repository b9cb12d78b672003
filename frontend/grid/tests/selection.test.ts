// The selection belongs to rows, not to lines; and what actions on selected cells write.

import assert from "node:assert/strict";
import { test } from "node:test";
import { CompactSelection } from "@glideapps/glide-data-grid";
import { clear, pasteWhatFits, type ActionScope } from "../src/actions";
import { duplicate } from "../src/bulk";
import { followed, held, NOTHING, oneCell } from "../src/selection";
import { Blocks } from "../../sheet/src/blocks";
import type { Edit } from "../../sheet/src/commands";
import { groupKey } from "../../sheet/src/grouping";
import { Lines } from "../../sheet/src/lines";
import { Rows } from "../../sheet/src/rows";
import { traitsOf } from "../../sheet/tests/traits";
import type { CellValue, Column } from "../../sheet/src/types";

const column = (id: number, type: string, more: Partial<Column> = {}): Column =>
  ({ id, name: `c${id}`, type, rules: {}, options: [], ...traitsOf(type), ...more });

/** The lines of rows 1 to 4, two in each of two groups or in none. */
function linesOf(isGrouped: boolean): { lines: Lines; blocks: Blocks } {
  const blocks = new Blocks({ read: () => Promise.reject(new Error("not here")), received: () => undefined, failed: () => undefined, dropped: () => undefined });
  const lines = new Lines(blocks);
  blocks.put(0, [1, 2, 3, 4]);
  lines.reorder(4, isGrouped ? ["a", "b"].map((value) => ({ values: [value], rows: 2, totals: {} })) : []);
  return { lines, blocks };
}

test("ticks end where a folded group moves their rows, and stay where it does not", () => {
  const { lines } = linesOf(true);
  const ticked = (y: number) => ({ ...NOTHING, rows: CompactSelection.fromSingleSelection(y) });
  const [above, below] = [held(lines, ticked(1)), held(lines, ticked(4))];
  lines.fold([groupKey(["b"])], true);
  assert.notEqual(lines.moves, above.moves);
  assert.equal(followed(lines, above.selection, above), above.selection);
  assert.equal(followed(lines, below.selection, below), NOTHING);
});

test("the selected cell stays in its row when a group is folded or the rows get another order", () => {
  const { lines } = linesOf(true);
  const before = held(lines, oneCell(2, 4));
  lines.fold([groupKey(["a"])], true);
  assert.deepEqual(followed(lines, before.selection, before), oneCell(2, 2));
  const plain = linesOf(false);
  const first = held(plain.lines, oneCell(0, 0));
  plain.blocks.put(0, [4, 3, 2, 1]);
  assert.notEqual(plain.lines.moves, first.moves);
  assert.deepEqual(followed(plain.lines, first.selection, first), oneCell(0, 3));
});

/** The edits that an action writes in a sheet of one row, and what it says. */
function written(columns: Column[], values: Record<number, CellValue>, act: (scope: ActionScope) => void): { edits: Edit[]; notice: string } {
  const result = { edits: [] as Edit[], notice: "" };
  const { lines, blocks } = linesOf(false);
  const cell = (_: unknown, id: number): object => ({ value: values[id] ?? null, state: undefined });
  const session = { sheet: 1, newKey: () => "new", write: (edits: Edit[]) => result.edits.push(...edits) };
  const view = { reader: { lines, blocks, rows: new Rows() }, cell, baseOf: () => 1 };
  const scope = { view, session, columns, canEdit: true, canAdd: true, notice: (text: string) => (result.notice = text) };
  act(scope as unknown as ActionScope);
  return result;
}

test("a copy of a row has its empty cells, too, where a column has a default", () => {
  const columns = [column(1, "text"), column(2, "text"), column(3, "text", { rules: { required: true } })];
  const { edits } = written(columns, { 1: "Acme" }, (scope) => duplicate(scope, [0], columns));
  assert.deepEqual(edits.map(({ column: id, input }) => [id, input]), [[1, { value: "Acme" }], [2, { value: null }]]);
});

test("pasting and clearing leave the cells of a mirror, and say so", () => {
  const columns = [column(1, "text"), column(2, "text", { is_computed: true })];
  const pasted = written(columns, {}, (scope) => pasteWhatFits(scope, { at: { x: 0, y: 0 }, block: [[{ text: "a" }, { text: "b" }]] }));
  assert.deepEqual(pasted.edits.map(({ column: id }) => id), [1]);
  assert.match(pasted.notice, /“c2” belongs to another sheet/);
  const cleared = written(columns, { 1: "a", 2: "b" }, (scope) => clear(scope, [{ x: 0, y: 0, width: 2, height: 1 }]));
  assert.deepEqual(cleared.edits.map(({ column: id }) => id), [1]);
});
