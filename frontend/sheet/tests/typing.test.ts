// Two people type into one sheet over connections that delay, lose, repeat and reorder; rows and rights come and go.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ModelServer, plain } from "./model";
import { COLUMNS, newValue, Person, type Typed } from "./person";

type Deed = "see" | "send" | "deliver" | "answer" | "lose" | "repeat" | "reload" | "keepMine" | "sendAgain" | "drop";
type Step = { who: number } & (
  | { do: "type" | "open"; row: number; column: number; bad: boolean; fresh: boolean }
  | { do: "commit"; bad: boolean }
  | { do: "somebody writes"; row: number; column: number }
  | { do: "somebody deletes" | "somebody restores"; row: number }
  | { do: "right" }
  | { do: Deed }
);

const DEEDS = ["see", "send", "deliver", "answer", "lose", "repeat", "reload", "keepMine", "sendAgain", "drop"] as const;
const who = fc.integer({ min: 0, max: 1 });
const column = fc.constantFrom(...COLUMNS);
const row = fc.integer({ min: 1, max: 3 });
const bad = fc.boolean();
const step = (weight: number, model: object): { weight: number; arbitrary: fc.Arbitrary<Step> } => ({
  weight, arbitrary: fc.record({ who, ...model } as never) as fc.Arbitrary<Step>,
});
const steps = fc.array(
  fc.oneof(
    step(8, { do: fc.constant("type"), row, column, bad, fresh: fc.boolean() }),
    step(3, { do: fc.constant("open"), row, column, bad, fresh: fc.constant(false) }),
    step(3, { do: fc.constant("commit"), bad }),
    step(2, { do: fc.constant("somebody writes"), row, column }),
    step(1, { do: fc.constantFrom("somebody deletes", "somebody restores"), row }),
    step(1, { do: fc.constant("right") }),
    step(18, { do: fc.constantFrom("see", "send", "deliver", "answer") }),
    step(6, { do: fc.constantFrom(...DEEDS) }),
  ),
  { maxLength: 100, size: "max" },
);

class Room {
  server = new ModelServer(3);
  people = [new Person("Ann", this.server), new Person("Ben", this.server)];

  take(one: Step): void {
    const person = this.people[one.who] as Person;
    switch (one.do) {
      case "type": person.open(one.fresh ? `k${one.row}` : one.row, one.column); return person.commit(one.bad ? "bad" : "ok");
      case "open": return person.open(one.row, one.column);
      case "commit": return person.commit(one.bad ? "bad" : "ok");
      case "somebody writes": return this.server.writeAsSomebodyElse(one.row, one.column, newValue("other"));
      case "somebody deletes": return this.server.deleteAsSomebodyElse(one.row);
      case "somebody restores": return this.server.restoreAsSomebodyElse(one.row);
      case "right": return this.turnRight(person.name);
      default: return person[one.do]();
    }
  }

  settle(): void {
    this.server.forbidden.clear();
    for (const person of [...this.people, ...this.people]) person.settle();
  }

  private turnRight(name: string): void {
    const { forbidden } = this.server;
    if (!forbidden.delete(name)) forbidden.add(name);
  }
}

/** The last value typed into each cell: earlier ones were meant to be replaced. */
function lastTyped(person: Person): Typed[] {
  const last = new Map<string, Typed>();
  for (const typed of person.typed.values()) {
    const at = typeof typed.row === "string" ? (person.outbox.rowOf(typed.row) ?? typed.row) : typed.row;
    last.set(`${at}:${typed.column}`, { ...typed, row: at });
  }
  return [...last.values()].filter(({ value }) => !person.dropped.has(value));
}

function assertNothingLost(person: Person, server: ModelServer): void {
  for (const { row: at, column: where, value } of lastTyped(person)) {
    const written = server.log.some((one) => one.row === at && one.column === where && one.value === value);
    const state = person.outbox.cell(at, where);
    const kept = state !== undefined && plain(state.input) === value;
    assert.ok(written !== kept, `${value} at ${at}:${where} is written (${written}) or kept with its reason (${kept})`);
  }
}

function assertNothingTwiceOrElsewhere(people: Person[], server: ModelServer): void {
  const seen = new Set<unknown>();
  for (const one of server.log.filter(({ operation }) => operation !== "else")) {
    const person = people.find(({ name }) => name === one.by);
    const typed = person?.typed.get(String(one.value));
    const at = typeof typed?.row === "string" ? person?.outbox.rowOf(typed.row) : typed?.row;
    assert.deepEqual([at, typed?.column], [one.row, one.column], `${String(one.value)} is in the cell it was typed into`);
    assert.ok(!seen.has(one.value), `${String(one.value)} is written once`);
    seen.add(one.value);
  }
}

/** Whoever wrote over another's value had that value before them when they typed, or decided a conflict with it. */
function assertNobodyIsUndoneUnseen(people: Person[], server: ModelServer): void {
  for (const { by, value, over } of server.log) {
    const typed = people.find(({ name }) => name === by)?.typed.get(String(value));
    if (!typed || over.by === by || over.version === 0) continue;
    assert.ok(typed.saw >= over.version, `${by} wrote ${String(value)} over ${String(over.value)} without having seen it`);
  }
}

function assertEqualToTheServer(person: Person, server: ModelServer): void {
  for (const [id, cells] of server.rows) {
    assert.equal(person.rows.get(id)?.removed, false);
    for (const where of COLUMNS) {
      const [shown, there] = [person.rows.get(id)?.values[where] ?? null, cells.get(where)?.value ?? null];
      assert.equal(shown, there, `${person.name} sees ${id}:${where} as it is`);
    }
  }
  for (const id of server.trash.keys()) assert.ok(person.rows.get(id)?.removed ?? true);
}

test("no typed value is lost, doubled or elsewhere, nobody is undone unseen, and every grid ends as the server", () => {
  fc.assert(
    fc.property(steps, (script) => {
      const room = new Room();
      for (const one of script) room.take(one);
      room.settle();
      for (const person of room.people) {
        assert.equal(person.outbox.pendingCount(), 0);
        assertNothingLost(person, room.server);
        assertEqualToTheServer(person, room.server);
      }
      assertNothingTwiceOrElsewhere(room.people, room.server);
      assertNobodyIsUndoneUnseen(room.people, room.server);
    }),
    { numRuns: 1500 },
  );
});

test("alone in a sheet nobody ever meets a conflict, whatever the connection does", () => {
  const alone = steps.map((script) => script.filter((one) => !one.do.startsWith("somebody")).map((one) => ({ ...one, who: 0 })));
  fc.assert(
    fc.property(alone, (script) => {
      const room = new Room();
      for (const one of script) room.take(one);
      room.settle();
      assert.deepEqual(room.people[0]?.conflicts(), []);
    }),
    { numRuns: 500 },
  );
});
