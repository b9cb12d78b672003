import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { CELL_CHANGE_INTERVAL, POLL_INTERVAL, PagePoller, onlyCells, BUSY_RETRY } from "../src/page-poller";

let refreshes: number;
let poller: PagePoller;

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout"] });
  refreshes = 0;
  poller = new PagePoller(() => (refreshes += 1));
});

afterEach(() => {
  poller.end();
  mock.timers.reset();
});

function wait(times: number): void {
  for (let n = 0; n < times; n++) mock.timers.tick(POLL_INTERVAL);
}

test("without a connection the page is refreshed at a fixed interval", () => {
  wait(10);
  assert.equal(refreshes, 10);
});

test("while the page is being drawn it is not refreshed, and soon after it is", () => {
  let isBusy = true;
  const waiting = new PagePoller(() => (refreshes += 1), () => isBusy);
  poller.end();
  wait(5);
  assert.equal(refreshes, 0);
  isBusy = false;
  mock.timers.tick(BUSY_RETRY);
  assert.equal(refreshes, 1);
  waiting.end();
});

test("a connected page is refreshed once, and then only once after many changes", () => {
  poller.setLive(true);
  wait(10);
  assert.equal(refreshes, 1);
  for (let n = 0; n < 100; n++) poller.onChange();
  wait(10);
  assert.equal(refreshes, 2);
});

test("changed cells refresh the page later, or together with any other change", () => {
  poller.setLive(true);
  wait(1);
  poller.onCellChange();
  mock.timers.tick(CELL_CHANGE_INTERVAL - 1);
  assert.equal(refreshes, 1);
  poller.onCellChange();
  mock.timers.tick(1);
  assert.equal(refreshes, 2);
  poller.onCellChange();
  poller.onChange();
  poller.onCellChange();
  wait(1);
  assert.equal(refreshes, 3);
  mock.timers.tick(CELL_CHANGE_INTERVAL);
  assert.equal(refreshes, 3, "a change refreshes the page once");
});

test("only changes of cells in rows that stay can wait", () => {
  const row = { id: 1, values: { 1: "x" }, versions: { 1: 5 }, added: false, removed: false, restored: false };
  const isOnlyCells = (rows?: object[], reset = false) => onlyCells({ version: 5, reset, rows: rows as (typeof row)[] });
  assert.ok(isOnlyCells([row, { ...row, id: 2 }]));
  assert.ok(!isOnlyCells([]), "columns, rights or the sheet itself");
  assert.ok(!isOnlyCells(undefined, true));
  for (const change of ["added", "removed", "restored"]) assert.ok(!isOnlyCells([row, { ...row, [change]: true }]), change);
});

test("the page is refreshed when the connection breaks and when it is back", () => {
  poller.setLive(true);
  wait(1);
  poller.setLive(false);
  wait(3);
  assert.equal(refreshes, 4);
  poller.setLive(true);
  wait(10);
  assert.equal(refreshes, 5);
});

test("an ended poller does not refresh the page", () => {
  poller.end();
  wait(10);
  assert.equal(refreshes, 0);
});
