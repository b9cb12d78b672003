import assert from "node:assert/strict";
import { mock, test } from "node:test";
import fc from "fast-check";
import { otherUsers, initials, Presence, SEND_DELAY, type Present } from "../src/presence";

const id = fc.integer({ min: 1, max: 5 });
const cell = fc.option(id);
const present: fc.Arbitrary<Present[]> = fc.array(
  fc.record({ connection: fc.uuid(), user: id, row: cell, column: cell }),
  { maxLength: 12 },
);

function at(user: number, row: number | null = null, column: number | null = null): Present {
  return { connection: `${user}:${row}:${column}`, user, row, column };
}

const view = {};

function newPresence(): { presence: Presence; messages: unknown[]; drawCount: () => number } {
  const messages: unknown[] = [];
  let draws = 0;
  const presence = new Presence("1", (message) => messages.push(message), () => (draws += 1));
  return { presence, messages, drawCount: () => draws };
}

test("every other user is listed once, even with several tabs, and the user themselves is not", () => {
  fc.assert(
    fc.property(fc.array(present), (lists) => {
      const { presence } = newPresence();
      for (const list of lists) presence.update(list);
      const ids = presence.others.map((other) => other.id);
      const expected = new Set((lists.at(-1) ?? []).map(({ user }) => String(user)).filter((user) => user !== "1"));
      assert.deepEqual([...ids].sort(), [...expected].sort());
    }),
  );
});

test("users who stay keep their order", () => {
  fc.assert(
    fc.property(present, present, (first, second) => {
      const before = otherUsers(first, "1", []);
      const after = otherUsers(second, "1", before);
      const stayed = (list: { id: string }[], others: { id: string }[]): string[] =>
        list.map(({ id }) => id).filter((user) => others.some(({ id }) => id === user));
      assert.deepEqual(stayed(after, before), stayed(before, after));
    }),
  );
});

test("a cell lists exactly the users who are in it", () => {
  fc.assert(
    fc.property(present, (list) => {
      const { presence } = newPresence();
      presence.update(list);
      for (let row = 1; row <= 5; row++) {
        for (let column = 1; column <= 5; column++) {
          const expected = presence.others.filter((other) => other.row === row && other.column === column).map((other) => other.id);
          assert.deepEqual([...presence.at(row, column)], expected);
        }
      }
    }),
  );
});

test("a tab with a selected cell takes precedence over one without", () => {
  assert.deepEqual(otherUsers([at(2, 3, 4), at(2)], "1", []), [{ id: "2", row: 3, column: 4 }]);
  assert.deepEqual(otherUsers([at(2), at(2, 3, 4)], "1", []), [{ id: "2", row: 3, column: 4 }]);
});

test("an unchanged list is not drawn again", () => {
  const { presence, drawCount } = newPresence();
  presence.update([at(2, 1, 1)]);
  presence.update([at(2, 1, 1), at(1, 5, 5)]);
  assert.equal(drawCount(), 1);
  presence.clear();
  assert.equal(drawCount(), 2);
  assert.deepEqual(presence.at(1, 1), []);
});

test("while a key is held down only the last cell is sent", (context) => {
  mock.timers.enable({ apis: ["setTimeout"] });
  context.after(() => mock.timers.reset());
  const { presence: own, messages } = newPresence();
  for (let row = 1; row <= 20; row++) {
    own.move(view, row, 2);
    mock.timers.tick(30);
  }
  mock.timers.tick(SEND_DELAY);
  own.move(view, 20, 2);
  mock.timers.tick(SEND_DELAY);
  assert.deepEqual(messages, [{ cell: [20, 2] }]);
  own.move(view, null, 2);
  own.send();
  mock.timers.tick(SEND_DELAY);
  assert.deepEqual(messages.slice(1), [{ cell: null }]);
});

test("of several views the cell that was selected last is sent, and a view without a cell does not hide that of another", (context) => {
  mock.timers.enable({ apis: ["setTimeout"] });
  context.after(() => mock.timers.reset());
  const { presence: own, messages } = newPresence();
  const [grid, board] = [{}, {}];
  const sent = (): unknown[] => {
    mock.timers.tick(SEND_DELAY);
    return messages.splice(0);
  };
  own.move(grid, 1, 2);
  assert.deepEqual(sent(), [{ cell: [1, 2] }]);
  own.move(board, null, null);
  assert.deepEqual(sent(), []);
  own.move(board, 3, 4);
  assert.deepEqual(sent(), [{ cell: [3, 4] }]);
  own.move(grid, 5, 6);
  assert.deepEqual(sent(), [{ cell: [5, 6] }]);
  own.move(grid, null, null);
  assert.deepEqual(sent(), [{ cell: [3, 4] }]);
  own.move(board, null, null);
  assert.deepEqual(sent(), [{ cell: null }]);
});

test("initials come from the first and the last word", () => {
  assert.deepEqual(["Ann", "ben editor", "Ann Marie Övergård", "", "  ", "李 小龙"].map(initials), ["A", "BE", "AÖ", "?", "?", "李小"]);
});
