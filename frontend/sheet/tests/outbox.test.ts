import assert from "node:assert/strict";
import { test } from "node:test";
import { Outbox } from "../src/outbox";
import { splitEdits, MAX_COMMAND_SIZE, type Command, type Edit, type Saved } from "../src/commands";
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
  outbox.applyOutcome(command.id, outcome);
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
  outbox.sendLater(first.id);
  assert.deepEqual(sent(outbox), first);
});

test("typing twice into a cell is no conflict with oneself", () => {
  const [outbox, server] = [new Outbox(newId), new ModelServer(1)];
  outbox.put([{ row: 1, column: 1, input: text("a"), base: 0 }]);
  const first = sent(outbox);
  outbox.put([{ row: 1, column: 1, input: text("ab"), base: 0 }]);
  outbox.applyOutcome(first.id, server.apply(first));
  exchange(outbox, server);
  assert.equal(server.cell(1, 1).value, "ab");
  assert.deepEqual(outbox.rejectedEdits(), []);
});

test("a refused value stays with its reason until it is typed again", () => {
  const [outbox, server] = [new Outbox(newId), new ModelServer(1)];
  outbox.put([{ row: 1, column: 1, input: text("bad"), base: 0 }]);
  exchange(outbox, server);
  assert.equal(outbox.cell(1, 1)?.rejected?.reason, "That is no value.");
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
  assert.equal(outbox.cell(1, 1)?.rejected?.conflict?.theirs, "theirs");
  assert.equal(server.cell(1, 1).value, "theirs");
  outbox.keepMine(outbox.rejectedEdits());
  exchange(outbox, server);
  assert.equal(server.cell(1, 1).value, "mine");
});

test("an editor that opened over a value of mine is not raised by a conflict that is told while it is open", () => {
  const [outbox, server] = [new Outbox(newId), new ModelServer(1)];
  server.writeAsSomebodyElse(1, 1, "theirs");
  outbox.put([{ row: 1, column: 1, input: text("mine"), base: 0 }]);
  // Followed meanwhile, behind what waits in the cell: nobody has seen it.
  const base = outbox.baseOf(1, 1, server.version);
  exchange(outbox, server);
  outbox.put([{ row: 1, column: 1, input: text("mine, too"), base }]);
  exchange(outbox, server);
  assert.equal(server.cell(1, 1).value, "theirs");
  assert.equal(outbox.cell(1, 1)?.rejected?.conflict?.theirs, "theirs");
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
  outbox.applyOutcome(first.id, new ModelServer(1).apply(first));
  assert.deepEqual(sent(outbox).adds, [{ key: "k", cells: { 1: text("Acme"), 2: text("12") } }]);
});

test("a new row is sent with the oldest version that its cells were typed over, and so again", () => {
  const outbox = new Outbox(newId);
  outbox.put([{ row: "k", column: 1, input: text("Acme"), base: 3 }, { row: "k", column: 2, input: text("12"), base: 4 }]);
  const first = sent(outbox);
  assert.equal(first.adds[0]?.base, 3);
  outbox.put([{ row: "k", column: 3, input: text("later"), base: 5 }]);
  const refused = [{ key: "k", column: 2, given: "12", reason: "Its type was changed." }];
  outbox.applyOutcome(first.id, { version: 5, saved: [], added: [], deleted: [], refused, conflicts: [], gone: [] });
  assert.equal(sent(outbox).adds[0]?.base, 3);
});

test("a cell typed while the new row is on its way goes to the row that the server made", () => {
  const [outbox, server] = [new Outbox(newId), new ModelServer(0)];
  outbox.put([{ row: "k", column: 1, input: text("Acme"), base: null }]);
  const first = sent(outbox);
  outbox.put([{ row: "k", column: 2, input: text("12"), base: null }]);
  outbox.applyOutcome(first.id, server.apply(first));
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
  outbox.applyOutcome(first.id, server.apply(first));
  assert.ok(outbox.dropDraft("k"));
  assert.ok(outbox.empty);
});

test("a command that the server will never take gives every value back with the reason", () => {
  const outbox = new Outbox(newId);
  outbox.put([{ row: 1, column: 1, input: text("a"), base: 0 }], [{ key: "k", cells: { 1: text("b") } }], [7]);
  outbox.refuse(sent(outbox).id, "refused", "You may only read this sheet.");
  assert.deepEqual(outbox.rejectedEdits().map((issue) => plain(issue.input)), ["a", null, null]);
  assert.equal(outbox.cell("k", 1)?.state, "held");
});

test("a value whose row is gone is offered for copying", () => {
  const [outbox, server] = [new Outbox(newId), new ModelServer(1)];
  server.deleteAsSomebodyElse(1);
  outbox.put([{ row: 1, column: 1, input: text("typed"), base: 0 }]);
  exchange(outbox, server);
  const [issue] = outbox.rejectedEdits();
  assert.equal(issue?.kind, "gone");
  assert.deepEqual(issue?.input, text("typed"));
});

test("a duplicated tab sends what it has a copy of, and nothing is doubled or lost", () => {
  const [first, server] = [new Outbox(newId), new ModelServer(1)];
  first.put([{ row: 1, column: 1, input: text("before"), base: 0 }]);
  first.put([{ row: "k", column: 1, input: text("Acme"), base: null }]);
  const copy = JSON.stringify(first);
  const [original, duplicate] = [copy, copy].map((saved) => new Outbox(newId, JSON.parse(saved) as Saved)) as [Outbox, Outbox];
  original.put([{ row: "k", column: 2, input: text("12"), base: null }]);
  duplicate.put([{ row: "k", column: 3, input: text("13"), base: null }]);
  for (const outbox of [duplicate, original]) while (outbox.pendingCount() > 0) exchange(outbox, server);
  assert.equal(server.rows.size, 2);
  assert.deepEqual([1, 2, 3].map((column) => server.cell(2, column).value), ["Acme", "12", "13"]);
});

test("after a restored backup mine can be kept, though my own writes were newer", () => {
  const outbox = new Outbox(newId);
  outbox.put([{ row: 1, column: 1, input: text("a"), base: 100 }]);
  const first = sent(outbox);
  const none = { added: [], deleted: [], refused: [], conflicts: [], gone: [] };
  outbox.applyOutcome(first.id, { ...none, version: 4254, saved: [{ row: 1, column: 1, value: "a", version: 4254 }] });
  outbox.put([{ row: 1, column: 1, input: text("b"), base: 4254 }]);
  const fact = { row: 1, column: 1, mine: "b", theirs: "old", original: null, by: null, at: null, version: 3000, reason: "Restored." };
  outbox.applyOutcome(sent(outbox).id, { ...none, version: 3254, saved: [], conflicts: [fact] });
  outbox.keepMine(outbox.rejectedEdits());
  assert.equal(sent(outbox).edits[0]?.base, 3000);
});

test("what is more than the server takes is sent as several actions, each row in one of them", () => {
  const edits: Edit[] = Array.from({ length: 12_000 }, (_, n) => ({ row: `new-${n % 4000}`, column: Math.floor(n / 4000), input: text("a"), base: null }));
  const parts = splitEdits(edits);
  const rows = parts.map((part) => new Set(part.map(({ row }) => row)));
  assert.equal(parts.flat().length, edits.length);
  assert.equal(rows.reduce((sum, some) => sum + some.size, 0), 4000);
  parts.forEach((part, at) => assert.ok(part.length + (rows[at]?.size ?? 0) <= MAX_COMMAND_SIZE));
  const long: Edit[] = Array.from({ length: 30 }, (_, row) => ({ row, column: 1, input: text("x".repeat(100_000)), base: null }));
  assert.ok(splitEdits(long).every((part) => part.length <= 5));
});
