import assert from "node:assert/strict";
import { mock, test } from "node:test";
import fc from "fast-check";
import { gathered, initials, Presence, SAY_AFTER, type Present } from "../src/presence";

const id = fc.integer({ min: 1, max: 5 });
const cell = fc.option(id);
const present: fc.Arbitrary<Present[]> = fc.array(
  fc.record({ connection: fc.uuid(), user: id, row: cell, column: cell }),
  { maxLength: 12 },
);

function at(user: number, row: number | null = null, column: number | null = null): Present {
  return { connection: `${user}:${row}:${column}`, user, row, column };
}

function presence(): { presence: Presence; said: unknown[]; drawn: () => number } {
  const said: unknown[] = [];
  let drawn = 0;
  const made = new Presence("1", (message) => said.push(message), () => (drawn += 1));
  return { presence: made, said, drawn: () => drawn };
}

test("everybody else is there once, however many tabs they have, and I am not", () => {
  fc.assert(
    fc.property(fc.array(present), (heard) => {
      const { presence: seen } = presence();
      for (const list of heard) seen.hear(list);
      const ids = seen.others.map((other) => other.id);
      const expected = new Set((heard.at(-1) ?? []).map(({ user }) => String(user)).filter((user) => user !== "1"));
      assert.deepEqual([...ids].sort(), [...expected].sort());
    }),
  );
});

test("whoever stays keeps their place among the others", () => {
  fc.assert(
    fc.property(present, present, (first, second) => {
      const before = gathered(first, "1", []);
      const after = gathered(second, "1", before);
      const stayed = (list: { id: string }[], others: { id: string }[]): string[] =>
        list.map(({ id }) => id).filter((one) => others.some(({ id }) => id === one));
      assert.deepEqual(stayed(after, before), stayed(before, after));
    }),
  );
});

test("a cell knows who is in it, and only they", () => {
  fc.assert(
    fc.property(present, (list) => {
      const { presence: seen } = presence();
      seen.hear(list);
      for (let row = 1; row <= 5; row++) {
        for (let column = 1; column <= 5; column++) {
          const expected = seen.others.filter((other) => other.row === row && other.column === column).map((other) => other.id);
          assert.deepEqual([...seen.at(row, column)], expected);
        }
      }
    }),
  );
});

test("a tab in a cell counts more than one that is in none", () => {
  assert.deepEqual(gathered([at(2, 3, 4), at(2)], "1", []), [{ id: "2", row: 3, column: 4 }]);
  assert.deepEqual(gathered([at(2), at(2, 3, 4)], "1", []), [{ id: "2", row: 3, column: 4 }]);
});

test("the same again draws nothing", () => {
  const { presence: seen, drawn } = presence();
  seen.hear([at(2, 1, 1)]);
  seen.hear([at(2, 1, 1), at(1, 5, 5)]);
  assert.equal(drawn(), 1);
  seen.clear();
  assert.equal(drawn(), 2);
  assert.deepEqual(seen.at(1, 1), []);
});

test("a key held down says only where it ends", (context) => {
  mock.timers.enable({ apis: ["setTimeout"] });
  context.after(() => mock.timers.reset());
  const { presence: mine, said } = presence();
  for (let row = 1; row <= 20; row++) {
    mine.move(row, 2);
    mock.timers.tick(30);
  }
  mock.timers.tick(SAY_AFTER);
  mine.move(20, 2);
  mock.timers.tick(SAY_AFTER);
  assert.deepEqual(said, [{ cell: [20, 2] }]);
  mine.move(null, 2);
  mine.tell();
  mock.timers.tick(SAY_AFTER);
  assert.deepEqual(said.slice(1), [{ cell: null }]);
});

test("initials are of the first and the last word", () => {
  assert.deepEqual(["Ann", "ben editor", "Ann Marie Övergård", "", "  ", "李 小龙"].map(initials), ["A", "BE", "AÖ", "?", "?", "李小"]);
});
