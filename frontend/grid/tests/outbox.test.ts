import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Outbox } from "../src/outbox";
import type { Command, Saved } from "../src/waiting";
import type { Input, Outcome } from "../src/types";
import { ModelServer, plain } from "./model";

let counter = 0;
const newId = (): string => `op-${++counter}`;
const text = (typed: string): Input => ({ text: typed });

function sent(outbox: Outbox): Command {
  const command = outbox.next();
  assert.ok(command, "there is something to send");
  return structuredClone(command);
}

function exchange(outbox: Outbox, server: ModelServer): Outcome {
  const command = sent(outbox);
  const outcome = server.apply(command);
  outbox.answer(command.id, outcome);
  return outcome;
}

test("a typed value is shown as saving until the server has answered", () => {
  const [outbox, server] = [new Outbox(newId), new ModelServer(1)];
  outbox.put([{ row: 1, column: 3, input: text("a"), base: 0 }]);
  assert.equal(outbox.cell(1, 3)?.state, "saving");
  exchange(outbox, server);
  assert.equal(outbox.cell(1, 3), undefined);
  assert.ok(outbox.empty);
});

test("one command is on its way at a time, in the order of typing", () => {
  const outbox = new Outbox(newId);
  outbox.put([{ row: 1, column: 1, input: text("first"), base: 0 }]);
  outbox.put([{ row: 1, column: 2, input: text("second"), base: 0 }]);
  assert.deepEqual(sent(outbox).edits[0]?.input, text("first"));
  assert.equal(outbox.next(), null);
});

test("a lost command is sent again under the same id", () => {
  const outbox = new Outbox(newId);
  outbox.put([{ row: 1, column: 1, input: text("a"), base: 0 }]);
  const first = sent(outbox);
  outbox.lose(first.id);
  assert.deepEqual(sent(outbox), first);
});

test("typing twice into a cell is no conflict with oneself", () => {
  const [outbox, server] = [new Outbox(newId), new ModelServer(1)];
  outbox.put([{ row: 1, column: 1, input: text("a"), base: 0 }]);
  const first = sent(outbox);
  outbox.put([{ row: 1, column: 1, input: text("ab"), base: 0 }]);
  outbox.answer(first.id, server.apply(first));
  exchange(outbox, server);
  assert.equal(server.cell(1, 1).value, "ab");
  assert.deepEqual(outbox.attention(), []);
});

test("a refused value stays with its reason until it is typed again", () => {
  const [outbox, server] = [new Outbox(newId), new ModelServer(1)];
  outbox.put([{ row: 1, column: 1, input: text("bad"), base: 0 }]);
  exchange(outbox, server);
  assert.equal(outbox.cell(1, 1)?.issue?.reason, "That is no value.");
  outbox.put([{ row: 1, column: 1, input: text("good"), base: 0 }]);
  exchange(outbox, server);
  assert.equal(server.cell(1, 1).value, "good");
  assert.ok(outbox.empty);
});

test("a stale edit is kept beside theirs, and keep mine writes it over what was seen", () => {
  const [outbox, server] = [new Outbox(newId), new ModelServer(1)];
  server.writeAsSomebodyElse(1, 1, "theirs");
  outbox.put([{ row: 1, column: 1, input: text("mine"), base: 0 }]);
  exchange(outbox, server);
  assert.equal(outbox.cell(1, 1)?.issue?.conflict?.theirs, "theirs");
  assert.equal(server.cell(1, 1).value, "theirs");
  outbox.keepMine(1, 1);
  exchange(outbox, server);
  assert.equal(server.cell(1, 1).value, "mine");
});

test("take theirs forgets mine", () => {
  const [outbox, server] = [new Outbox(newId), new ModelServer(1)];
  server.writeAsSomebodyElse(1, 1, "theirs");
  outbox.put([{ row: 1, column: 1, input: text("mine"), base: 0 }]);
  exchange(outbox, server);
  outbox.drop(1, 1);
  assert.ok(outbox.empty);
});

test("cells typed into a new row that waits join it", () => {
  const outbox = new Outbox(newId);
  outbox.put([{ row: 1, column: 1, input: text("before"), base: 0 }]);
  outbox.put([{ row: "k", column: 1, input: text("Acme"), base: null }]);
  outbox.put([{ row: "k", column: 2, input: text("12"), base: null }]);
  const first = sent(outbox);
  outbox.answer(first.id, new ModelServer(1).apply(first));
  assert.deepEqual(sent(outbox).adds, [{ key: "k", cells: { 1: text("Acme"), 2: text("12") } }]);
});

test("a cell typed while the new row is on its way goes to the row that the server made", () => {
  const [outbox, server] = [new Outbox(newId), new ModelServer(0)];
  outbox.put([{ row: "k", column: 1, input: text("Acme"), base: null }]);
  const first = sent(outbox);
  outbox.put([{ row: "k", column: 2, input: text("12"), base: null }]);
  outbox.answer(first.id, server.apply(first));
  exchange(outbox, server);
  assert.equal(server.rows.size, 1);
  assert.equal(server.cell(1, 2).value, "12");
  assert.equal(outbox.rowOf("k"), 1);
});

test("a refused new row keeps all its cells and is sent whole when it is mended", () => {
  const [outbox, server] = [new Outbox(newId), new ModelServer(0)];
  outbox.put([], [{ key: "k", cells: { 1: text("Acme"), 2: text("bad") } }]);
  exchange(outbox, server);
  assert.deepEqual(outbox.draftKeys(), ["k"]);
  assert.equal(outbox.cell("k", 1)?.state, "held");
  outbox.put([{ row: "k", column: 2, input: text("12"), base: null }]);
  exchange(outbox, server);
  assert.deepEqual([server.cell(1, 1).value, server.cell(1, 2).value], ["Acme", "12"]);
});

test("a new row can be dropped unless it may have arrived", () => {
  const [outbox, server] = [new Outbox(newId), new ModelServer(0)];
  outbox.put([], [{ key: "k", cells: { 1: text("bad") } }]);
  const first = sent(outbox);
  assert.equal(outbox.dropDraft("k"), false);
  outbox.answer(first.id, server.apply(first));
  assert.ok(outbox.dropDraft("k"));
  assert.ok(outbox.empty);
});

test("a command that the server will never take gives every value back with the reason", () => {
  const outbox = new Outbox(newId);
  outbox.put([{ row: 1, column: 1, input: text("a"), base: 0 }], [{ key: "k", cells: { 1: text("b") } }], [7]);
  outbox.refuse(sent(outbox).id, "refused", "You may only read this sheet.");
  assert.deepEqual(outbox.attention().map((issue) => plain(issue.input)), ["a", null, null]);
  assert.equal(outbox.cell("k", 1)?.state, "held");
});

test("a value whose row is gone is offered for copying", () => {
  const [outbox, server] = [new Outbox(newId), new ModelServer(1)];
  server.deleteAsSomebodyElse(1);
  outbox.put([{ row: 1, column: 1, input: text("typed"), base: 0 }]);
  exchange(outbox, server);
  const [issue] = outbox.attention();
  assert.equal(issue?.kind, "gone");
  assert.deepEqual(issue?.input, text("typed"));
});

// --- any order of typing, loss, repetition, reloads and other people's writes ------------------------------------

type Step =
  | { do: "type"; row: number; column: number; bad: boolean }
  | { do: "type new"; draft: number; column: number; bad: boolean }
  | { do: "somebody writes"; row: number; column: number }
  | { do: "somebody deletes"; row: number }
  | { do: "see" | "send" | "deliver" | "answer" | "lose" | "repeat an old answer" | "reload" };

const column = fc.integer({ min: 1, max: 3 });
const row = fc.integer({ min: 1, max: 3 });
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant("type" as const), row, column, bad: fc.boolean() }) },
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constant("type new" as const), draft: row, column, bad: fc.boolean() }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("somebody writes" as const), row, column }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("somebody deletes" as const), row }) },
    ...(["see", "send", "deliver", "answer", "lose", "repeat an old answer", "reload"] as const).map((what) => ({
      weight: 4,
      arbitrary: fc.constant({ do: what }),
    })),
  ),
  { maxLength: 80, size: "max" },
);

interface Typed {
  row: number | string;
  column: number;
  value: string;
}

/** A browser with a bad connection: what it typed, what is on the wire, and what it has seen of the sheet. */
class Browser {
  outbox = new Outbox(newId);
  typed: Typed[] = [];
  private seen = 0;
  private wire: Command | null = null;
  private reply: { id: string; outcome: Outcome } | null = null;
  private old: { id: string; outcome: Outcome }[] = [];
  private mine = new Map<string, number>();

  constructor(private server: ModelServer) {}

  take(step: Step): void {
    switch (step.do) {
      case "type": return this.type(step.row, step.column, step.bad);
      case "type new": return this.type(`k${step.draft}`, step.column, step.bad);
      case "somebody writes": return this.server.writeAsSomebodyElse(step.row, step.column, `other-${++counter}`);
      case "somebody deletes": return this.server.deleteAsSomebodyElse(step.row);
      case "see": this.seen = this.server.version; return;
      case "send": return this.send();
      case "deliver": return this.deliver();
      case "answer": return this.answer();
      case "lose": return this.lose();
      case "repeat an old answer": return this.repeat();
      case "reload": return this.reload();
    }
  }

  settle(): void {
    for (let i = 0; i < 200; i++) {
      this.send();
      this.deliver();
      this.answer();
    }
  }

  private type(at: number | string, where: number, bad: boolean): void {
    const value = `${bad ? "bad" : "ok"}-${++counter}`;
    const known = typeof at === "string" ? this.outbox.rowOf(at) : at;
    const base = typeof known === "number" ? Math.max(this.seen, this.mine.get(`${known}:${where}`) ?? 0) : null;
    this.typed.push({ row: at, column: where, value });
    this.outbox.put([{ row: known ?? at, column: where, input: text(value), base }]);
  }

  private send(): void {
    const next = this.outbox.next();
    if (next) this.wire = structuredClone(next);
  }

  private deliver(): void {
    if (!this.wire || this.reply) return;
    this.reply = { id: this.wire.id, outcome: this.server.apply(this.wire) };
  }

  private answer(): void {
    if (!this.reply) return;
    this.hear(this.reply);
    this.old.push(this.reply);
    this.wire = this.reply = null;
  }

  private hear(reply: { id: string; outcome: Outcome }): void {
    if (!this.outbox.answer(reply.id, structuredClone(reply.outcome))) return;
    for (const { row: r, column: c, version } of reply.outcome.saved) this.mine.set(`${r}:${c}`, version);
    for (const { row: r } of reply.outcome.added) {
      for (const c of [1, 2, 3]) this.mine.set(`${r}:${c}`, reply.outcome.version);
    }
  }

  private lose(): void {
    if (this.wire) this.outbox.lose(this.wire.id);
    if (this.reply) this.old.push(this.reply);
    this.wire = this.reply = null;
  }

  private repeat(): void {
    const again = this.old[0];
    if (again && again.id !== this.wire?.id) this.hear(again);
  }

  private reload(): void {
    if (this.reply) this.old.push(this.reply);
    this.wire = this.reply = null;
    this.outbox = new Outbox(newId, JSON.parse(JSON.stringify(this.outbox)) as Saved);
  }
}

/** The last value typed into each cell: earlier ones were meant to be replaced. */
function lastTyped(browser: Browser): Typed[] {
  const last = new Map<string, Typed>();
  for (const typed of browser.typed) {
    const at = typeof typed.row === "string" ? (browser.outbox.rowOf(typed.row) ?? typed.row) : typed.row;
    last.set(`${at}:${typed.column}`, { ...typed, row: at });
  }
  return [...last.values()];
}

function assertNothingLost(browser: Browser, server: ModelServer): void {
  for (const { row: at, column: where, value } of lastTyped(browser)) {
    const written = server.log.some((one) => one.row === at && one.column === where && one.value === value);
    const state = browser.outbox.cell(at, where);
    const kept = state !== undefined && plain(state.input) === value;
    assert.ok(written !== kept, `${value} at ${at}:${where} is written (${written}) or kept with its reason (${kept})`);
  }
}

function assertNothingTwiceOrElsewhere(browser: Browser, server: ModelServer): void {
  const seen = new Set<unknown>();
  for (const one of server.log) {
    const typed = browser.typed.find((candidate) => candidate.value === one.value);
    const at = typeof typed?.row === "string" ? browser.outbox.rowOf(typed.row) : typed?.row;
    assert.deepEqual([at, typed?.column], [one.row, one.column], `${String(one.value)} is in the cell it was typed into`);
    assert.ok(!seen.has(one.value), `${String(one.value)} is written once`);
    seen.add(one.value);
  }
}

test("no typed value is lost, none is written twice or into another cell", () => {
  fc.assert(
    fc.property(steps, (script) => {
      const server = new ModelServer(3);
      const browser = new Browser(server);
      for (const step of script) browser.take(step);
      browser.settle();
      assert.equal(browser.outbox.waiting(), 0);
      assertNothingLost(browser, server);
      assertNothingTwiceOrElsewhere(browser, server);
    }),
    { numRuns: 1500 },
  );
});

test("alone in a sheet nobody ever meets a conflict, whatever the connection does", () => {
  const alone = steps.map((script) => script.filter((step) => !step.do.startsWith("somebody")));
  fc.assert(
    fc.property(alone, (script) => {
      const server = new ModelServer(3);
      const browser = new Browser(server);
      for (const step of script) browser.take(step);
      browser.settle();
      assert.deepEqual(browser.outbox.attention().filter((issue) => issue.kind === "conflict"), []);
    }),
    { numRuns: 500 },
  );
});
