// From the outbox to the server and back, with answers of every kind: each edit is written once, in order.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Api } from "../src/api";
import { Outbox } from "../src/outbox";
import { Sender } from "../src/sender";
import type { RowRef } from "../src/types";
import type { Add, Command, Edit, Saved } from "../src/commands";
import { ModelServer } from "./model";
import { newId, newValue, text } from "./person";

Object.assign(globalThis, { location: { origin: "http://grid.test" } });

/** The clock of this browser; only the tests advance it. */
let clock = 0;
performance.now = () => clock;

/** The outcomes of a request: done and answered, done and not answered, or not done. */
const FATES = ["fine", "done, then 504", "done, broken off", "503", "429", "502 in HTML", "401", "offline"] as const;
type Fate = (typeof FATES)[number];
const isDone = (fate: Fate): boolean => fate === "fine" || fate.startsWith("done");

class Line {
  fate: Fate = "fine";
  server = new ModelServer(3);
  bodies = new Map<string, string>();
  count = 0;

  fetch = async (_url: string, { body }: { body: string }): Promise<Response> => {
    this.count += 1;
    const { operation_id: id, edits, adds, deletes } = JSON.parse(body) as {
      operation_id: string; edits: { row: RowRef; column: number; base: number | null; text: string }[]; adds: Add[]; deletes: number[];
    };
    assert.equal(this.bodies.get(id) ?? body, body, "a repeated operation is byte for byte identical");
    this.bodies.set(id, body);
    const command: Command = { id, adds, deletes, edits: edits.map((edit): Edit => ({ ...edit, input: text(edit.text) })) };
    return this.respond(isDone(this.fate) ? this.server.apply(command) : null);
  };

  private respond(outcome: object | null): Response {
    switch (this.fate) {
      case "fine": return Response.json(outcome);
      case "done, broken off": return new Response('{"version": 1, "sav', { status: 200 });
      case "done, then 504": return new Response("", { status: 504 });
      case "502 in HTML": return new Response("<html>", { status: 502, headers: { "Content-Type": "text/html" } });
      case "offline": throw new TypeError("Failed to fetch");
      default: return Response.json({ title: "Later" }, { status: Number(this.fate), headers: { "Retry-After": "1" } });
    }
  }
}

class Tab {
  outbox = new Outbox(newId);
  sender = this.newSender();
  typed: string[] = [];
  typedIntoRows: string[] = [];

  constructor(private line: Line) {}

  type(row: RowRef, column: number): void {
    const value = newValue("ok");
    this.typed.push(value);
    if (typeof row === "number") this.typedIntoRows.push(value);
    this.outbox.put([{ row, column, input: text(value), base: typeof row === "number" ? this.line.server.version : null }]);
  }

  /** Let the wait pass and send, with this outcome. */
  async send(fate: Fate): Promise<void> {
    clock += 1000;
    this.line.fate = fate;
    this.sender.wake();
    for (let i = 0; i < 12; i++) await new Promise((resolve) => setImmediate(resolve));
  }

  reload(): void {
    this.sender.end();
    this.outbox = new Outbox(newId, JSON.parse(JSON.stringify(this.outbox)) as Saved);
    this.sender = this.newSender();
  }

  private newSender(): Sender {
    return new Sender(new Api("/api/v1"), "/sheets/1/rows", this.outbox, { answered() {}, changed() {} }, 1);
  }
}

function openTab(): { line: Line; tab: Tab } {
  const line = new Line();
  globalThis.fetch = line.fetch as unknown as typeof fetch;
  return { line, tab: new Tab(line) };
}

const row = fc.oneof(fc.integer({ min: 1, max: 3 }), fc.constantFrom("k1", "k2"));
const steps = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant("type" as const), row, column: fc.integer({ min: 1, max: 3 }) }),
    fc.record({ do: fc.constant("send" as const), fate: fc.constantFrom(...FATES) }),
    fc.record({ do: fc.constant("reload" as const) }),
  ),
  { maxLength: 25, size: "max" },
);

test("with any outcomes of the requests, each typed value is written once, in the order of typing", async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (script) => {
      const { line, tab } = openTab();
      for (const step of script) {
        if (step.do === "type") tab.type(tab.outbox.rowOf(String(step.row)) ?? step.row, step.column);
        else if (step.do === "send") await tab.send(step.fate);
        else tab.reload();
      }
      for (let i = 0; i < 3; i++) await tab.send("fine");
      tab.sender.end();
      assert.ok(tab.outbox.empty);
      assert.equal(tab.sender.connection, "fine");
      const written = line.server.log.map(({ value }) => value);
      assert.equal(new Set(written).size, written.length);
      const last = new Map(line.server.log.map(({ row: at, column, value }) => [`${at}:${column}`, value]));
      for (const [at, value] of last) assert.equal(line.server.cell(...cellOf(at)).value, value);
      assert.ok(tab.typedIntoRows.every((value) => written.includes(value)));
      assert.ok(written.every((value) => tab.typed.includes(String(value))));
    }),
    { numRuns: 120 },
  );
});

const cellOf = (key: string): [number, number] => key.split(":").map(Number) as [number, number];

test("an ended session is reported, and pending edits are sent after the next sign-in", async () => {
  const { line, tab } = openTab();
  tab.type(1, 1);
  await tab.send("401");
  assert.equal(tab.sender.connection, "signed out");
  assert.equal(tab.outbox.pendingCount(), 1);
  await tab.send("fine");
  assert.equal(line.server.cell(1, 1).value, tab.typed[0]);
  tab.sender.end();
});

test("a rate-limited edit stays in the outbox and is sent when the server allows it, not before", async () => {
  const { line, tab } = openTab();
  tab.type(1, 1);
  await tab.send("429");
  assert.equal(tab.sender.connection, "slowed");
  assert.equal(tab.outbox.pendingCount(), 1);
  const count = line.count;
  tab.type(2, 2);
  clock += 900;
  tab.sender.wake();
  tab.sender.renew();
  for (let i = 0; i < 12; i++) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(line.count, count);
  clock += 100;
  await tab.send("fine");
  assert.equal(line.server.cell(1, 1).value, tab.typed[0]);
  assert.equal(line.server.cell(2, 2).value, tab.typed[1]);
  assert.equal(tab.sender.connection, "fine");
  tab.sender.end();
});

test("a request that was done before its answer was lost is not done again", async () => {
  const { line, tab } = openTab();
  tab.type("k1", 1);
  await tab.send("done, then 504");
  assert.equal(tab.sender.connection, "waiting");
  await tab.send("done, broken off");
  await tab.send("fine");
  assert.equal(line.server.rows.size, 4);
  tab.sender.end();
});

test("an edit that the server rejects for good is returned, and the next one is sent", async () => {
  const { line, tab } = openTab();
  line.server.forbidden.add("me");
  const fetchLine = line.fetch;
  globalThis.fetch = (async (...args: Parameters<typeof fetchLine>) =>
    fetchLine(...args).catch(() => Response.json({ detail: "You may only read this sheet." }, { status: 403 }))) as unknown as typeof fetch;
  tab.type(1, 1);
  await tab.send("fine");
  assert.deepEqual(tab.outbox.rejectedEdits().map(({ kind, reason }) => [kind, reason]), [["refused", "You may only read this sheet."]]);
  line.server.forbidden.clear();
  tab.type(2, 2);
  await tab.send("fine");
  assert.equal(line.server.cell(2, 2).value, tab.typed[1]);
  tab.sender.end();
});
