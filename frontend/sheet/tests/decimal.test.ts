// Sums and averages of decimal strings are exact: the same as with whole numbers of the smallest unit.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { average, compare, sum } from "../src/decimal";

test("a sum is exact where binary floats are not", () => {
  assert.equal(sum(["0.1", "0.2"]), "0.3");
  assert.equal(sum(["123456789012345.01", "0.09", "-0.10"]), "123456789012345.00");
  assert.equal(sum([]), "0");
});

test("an average has two more decimals and is rounded half away from zero, as the server rounds it", () => {
  assert.equal(average(["0.10", "0.20", "123456789012.01"]), "41152263004.1033");
  assert.equal(average(["1", "2"]), "1.50");
  assert.equal(average(["-0.01", "0", "0", "0", "0", "0", "0", "0"]), "-0.0013");
});

test("the sum of any cents is the sum of their whole numbers", () => {
  const text = (cents: number): string => `${cents < 0 ? "-" : ""}${Math.trunc(Math.abs(cents) / 100)}.${String(Math.abs(cents) % 100).padStart(2, "0")}`;
  fc.assert(fc.property(fc.array(fc.integer({ min: -1e9, max: 1e9 }), { minLength: 1 }), (cents) => {
    const total = cents.reduce((whole, each) => whole + BigInt(each), 0n);
    assert.equal(BigInt(sum(cents.map(text)).replace(".", "")), total);
    assert.equal(Math.sign(compare(text(cents[0] ?? 0), "0.00")), Math.sign(cents[0] ?? 0));
  }));
});
