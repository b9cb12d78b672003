import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatBlock, parseBlock } from "../src/tsv";

test("a block from a spreadsheet is split into its cells", () => {
  assert.deepEqual(parseBlock("a\tb\r\nc\td\r\n"), [["a", "b"], ["c", "d"]]);
});

test("a quoted cell keeps its tabs, line ends and quotes", () => {
  assert.deepEqual(parseBlock('"two\nlines"\t"say ""hi"""\nx\ty'), [["two\nlines", 'say "hi"'], ["x", "y"]]);
});

test("a text that merely begins with a quote is taken as it is", () => {
  assert.deepEqual(parseBlock('"Acme" Ltd\t5" pipe'), [['"Acme" Ltd', '5" pipe']]);
});

test("an empty cell in the middle and an empty line stay", () => {
  assert.deepEqual(parseBlock("a\t\tb\n\nc"), [["a", "", "b"], [""], ["c"]]);
});

test("what is copied is what is pasted", () => {
  const cell = fc.oneof(fc.string(), fc.constantFrom("", '"', "a\tb", "a\nb", "\r", '""', '"x"', "x\r\ny"));
  const block = fc
    .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 }))
    .chain(([w, h]) => fc.array(fc.array(cell, { minLength: w, maxLength: w }), { minLength: h, maxLength: h }));
  fc.assert(
    fc.property(block, (rows) => {
      const text = formatBlock(rows);
      // A last row of one empty cell is indistinguishable from a closing line end.
      fc.pre(!(rows.length > 1 && text.endsWith("\n")));
      assert.deepEqual(parseBlock(text), rows);
    }),
    { numRuns: 500 },
  );
});

test("a cell that is quoted for no reason keeps its marks", () => {
  assert.deepEqual(parseBlock('"quoted"\t"a b"\n"""'), [['"quoted"', '"a b"'], ['"""']]);
  assert.equal(formatBlock([['"quoted"', "plain"]]), '"""quoted"""\tplain');
});
