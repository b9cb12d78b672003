import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { AT_LEISURE, EVERY, PagePoller, onlyCells, SOON } from "../src/page-poller";

let looks: number;
let poller: PagePoller;

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout"] });
  looks = 0;
  poller = new PagePoller(() => (looks += 1));
});

afterEach(() => {
  poller.end();
  mock.timers.reset();
});

function wait(times: number): void {
  for (let n = 0; n < times; n++) mock.timers.tick(EVERY);
}

test("while nothing is heard the page looks by the clock", () => {
  wait(10);
  assert.equal(looks, 10);
});

test("while the page draws itself it is not asked to look, and soon after it is", () => {
  let isBusy = true;
  const patient = new PagePoller(() => (looks += 1), () => isBusy);
  poller.end();
  wait(5);
  assert.equal(looks, 0);
  isBusy = false;
  mock.timers.tick(SOON);
  assert.equal(looks, 1);
  patient.end();
});

test("a page that hears looks once, and then only after news, however much of it there is", () => {
  poller.told(true);
  wait(10);
  assert.equal(looks, 1);
  for (let n = 0; n < 100; n++) poller.news();
  wait(10);
  assert.equal(looks, 2);
});

test("changed cells are looked at after at leisure, and at once with whatever else is news", () => {
  poller.told(true);
  wait(1);
  poller.cells();
  mock.timers.tick(AT_LEISURE - 1);
  assert.equal(looks, 1);
  poller.cells();
  mock.timers.tick(1);
  assert.equal(looks, 2);
  poller.cells();
  poller.news();
  poller.cells();
  wait(1);
  assert.equal(looks, 3);
  mock.timers.tick(AT_LEISURE);
  assert.equal(looks, 3, "what was looked at is not looked at again");
});

test("only what changes cells of rows that stay is left for later", () => {
  const row = { id: 1, values: { 1: "x" }, versions: { 1: 5 }, added: false, removed: false, restored: false };
  const told = (rows?: object[], reset = false) => onlyCells({ version: 5, reset, rows: rows as (typeof row)[] });
  assert.ok(told([row, { ...row, id: 2 }]));
  assert.ok(!told([]), "columns, rights or the sheet itself");
  assert.ok(!told(undefined, true));
  for (const became of ["added", "removed", "restored"]) assert.ok(!told([row, { ...row, [became]: true }]), became);
});

test("when the line breaks and when it is back the page looks", () => {
  poller.told(true);
  wait(1);
  poller.told(false);
  wait(3);
  assert.equal(looks, 4);
  poller.told(true);
  wait(10);
  assert.equal(looks, 5);
});

test("what ended looks no more", () => {
  poller.end();
  wait(10);
  assert.equal(looks, 0);
});
