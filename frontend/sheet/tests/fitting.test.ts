// What is offered for a refused value, and which day a typed text means so far.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fitting } from "../src/fitting";
import { typedDay } from "../src/typed-date";
import type { Column } from "../src/types";
import { traitsOf } from "./traits";

const TODAY = "2026-11-30";
const column = (type: string, more: Partial<Column> = {}): Column => ({ id: 1, name: "", type, rules: {}, options: [], ...traitsOf(type), ...more });
const STAGES = ["Lead", "Qualified", "Negotiation", "Won", "Lost"];

test("entries of a list that are written nearly so are offered, and no others", () => {
  assert.deepEqual(fitting("Qualifed", column("choice"), STAGES, TODAY), ["Qualified"]);
  assert.deepEqual(fitting("nego", column("choice"), STAGES, TODAY), ["Negotiation"]);
  assert.deepEqual(fitting("Archived", column("choice"), STAGES, TODAY), []);
});

test("a number with a mark that could be two things is offered as both", () => {
  assert.deepEqual(fitting("1.234", column("number"), [], TODAY), ["1.2340", "1234"]);
  assert.deepEqual(fitting("12 apples", column("number"), [], TODAY), ["12"]);
  assert.deepEqual(fitting("apples", column("number"), [], TODAY), []);
});

test("a date that could be two days is offered as both", () => {
  assert.deepEqual(fitting("03/04/2026", column("date"), [], TODAY), ["2026-04-03", "2026-03-04"]);
  assert.deepEqual(fitting("31/12/2026", column("date"), [], TODAY), ["2026-12-31"]);
  assert.deepEqual(fitting("31.02.2026", column("date"), [], TODAY), []);
});

test("an address without its scheme is offered with it", () => {
  assert.deepEqual(fitting("acme.example", column("text", { scheme: "https" }), [], TODAY), ["https://acme.example"]);
});

test("the calendar follows what is typed, from the month on", () => {
  assert.equal(typedDay("2027", TODAY, false)?.month, "2027-01");
  assert.deepEqual(typedDay("2027-03", TODAY, false), { month: "2027-03", day: null });
  assert.deepEqual(typedDay("2027-03-09", TODAY, false), { month: "2027-03", day: "2027-03-09" });
  assert.deepEqual(typedDay("9.3.", TODAY, false), { month: "2026-03", day: "2026-03-09" });
  assert.deepEqual(typedDay("9/3/27", TODAY, true), { month: "2027-09", day: "2027-09-03" });
  assert.deepEqual(typedDay("30.2.2027", TODAY, false), { month: "2027-02", day: null });
  assert.equal(typedDay("next week", TODAY, false), null);
});
