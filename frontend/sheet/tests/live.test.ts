import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import fc from "fast-check";
import { Live, MAX_WAIT, MAX_SILENCE } from "../src/live";

/** The network as a page meets it: sockets that the test opens, lets speak, breaks, or leaves hanging. */
class Line {
  static OPEN = 1;
  static all: Line[] = [];
  readyState = 0;
  sent: string[] = [];
  onmessage: ((message: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;

  constructor(readonly url: string) {
    Line.all.push(this);
  }

  send(message: string): void {
    this.sent.push(message);
  }

  close(): void {
    this.readyState = 3;
  }

  say(message: object): void {
    this.readyState = 1;
    this.onmessage?.({ data: JSON.stringify(message) });
  }

  break(code = 1006): void {
    this.readyState = 3;
    this.onclose?.({ code });
  }
}

class Page extends EventTarget {
  hidden = false;
}

let page: Page;
let told: unknown[];
let live: Live;
const last = (): Line => Line.all.at(-1) as Line;
const standing = (): number => Line.all.filter((line) => line.readyState < 2).length;

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  page = new Page();
  Object.assign(globalThis, { WebSocket: Line, window: page, document: page });
  Line.all = [];
  told = [];
  live = new Live("http://here/live", {
    version: (version) => told.push(version),
    changes: (since, changes) => told.push({ since, ...changes }),
    beat: (version) => told.push({ beat: version }),
    related: () => told.push("related"),
    present: (present) => told.push(present),
    open: (isOpen) => told.push(isOpen ? "open" : "lost"),
    refused: () => told.push("refused"),
  });
});

afterEach(() => {
  live.end();
  mock.timers.reset();
});

test("versions and people are passed on; the line counts as open once it has spoken", () => {
  assert.equal(last().url, "ws://here/live");
  assert.deepEqual(told, []);
  last().say({ version: 3 });
  last().say({ present: [] });
  last().say({ version: 4 });
  assert.deepEqual(told, ["open", 3, [], 4]);
});

test("what changed is passed on before the version that brings it", () => {
  last().say({ version: 3 });
  last().say({ version: 4, since: 3, changes: { version: 4, reset: false } });
  last().say({ version: 4, beat: true });
  assert.deepEqual(told, ["open", 3, { since: 3, version: 4, reset: false }, 4, { beat: 4 }]);
});

test("however long the server was away, it is called again within the longest wait", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 30 }), (failures) => {
      for (let n = 0; n < failures; n++) {
        const before = Line.all.length;
        last().break();
        mock.timers.tick(MAX_WAIT * 1.25);
        assert.equal(Line.all.length, before + 1);
      }
      assert.equal(standing(), 1);
    }),
  );
});

test("a line on which nobody speaks is given up, and another one is opened", () => {
  last().say({ version: 1 });
  for (let n = 0; n < 5; n++) {
    mock.timers.tick(MAX_SILENCE - 1000);
    last().say({ version: 1, beat: true });
    assert.deepEqual(told.at(-1), { beat: 1 });
  }
  assert.equal(Line.all.length, 1);
  mock.timers.tick(MAX_SILENCE);
  assert.equal(told.at(-1), "lost");
  mock.timers.tick(MAX_WAIT);
  assert.equal(Line.all.length, 2);
  last().say({ version: 9 });
  assert.deepEqual(told.slice(-2), ["open", 9]);
});

test("a call that nobody answers is given up too", () => {
  mock.timers.tick(MAX_SILENCE);
  mock.timers.tick(MAX_WAIT);
  assert.equal(Line.all.length, 2);
  assert.equal(standing(), 1);
});

test("a database that is away is a line that is lost, and the same line is found again", () => {
  last().say({ version: 1 });
  last().say({ version: 1, away: true });
  assert.equal(told.filter((one) => one === "lost").length, 1);
  last().say({ version: 2 });
  assert.deepEqual(told.filter((one) => typeof one === "string"), ["open", "lost", "open"]);
  assert.equal(Line.all.length, 1);
});

test("when the network is back, a line that may be dead is not waited for", () => {
  last().say({ version: 1 });
  page.dispatchEvent(new Event("online"));
  assert.equal(Line.all.length, 2);
  assert.equal(standing(), 1);
  Line.all[0]?.say({ version: 99 });
  assert.ok(!told.includes(99));
});

test("whoever looks at the page after a sleep gets a new line at once, and one who only looked away does not", () => {
  last().say({ version: 1 });
  page.dispatchEvent(new Event("visibilitychange"));
  assert.equal(Line.all.length, 1);
  mock.timers.setTime(Date.now() + 60_000);
  page.dispatchEvent(new Event("visibilitychange"));
  assert.equal(standing(), 1);
  assert.ok(Line.all.length > 1);
});

test("a refusal is told, and asked about seldom", () => {
  last().break(4404);
  assert.deepEqual(told, ["refused"]);
  mock.timers.tick(MAX_WAIT * 2);
  assert.equal(Line.all.length, 1);
  mock.timers.tick(20_000);
  assert.equal(Line.all.length, 2);
});

test("what ended stays silent", () => {
  last().say({ version: 1 });
  live.end();
  last().say({ version: 2 });
  page.dispatchEvent(new Event("online"));
  mock.timers.tick(60_000);
  assert.equal(Line.all.length, 1);
  assert.deepEqual(told, ["open", 1]);
});
