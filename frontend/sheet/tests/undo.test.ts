// Undo in the browser: it comes after what was typed, is asked for once however often the line breaks, and tells the rest.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Problem, type Api, type Ask } from "../src/api";
import type { Outcome } from "../src/types";
import { Undo } from "../src/undo";

const NOTHING: Outcome = { version: 7, saved: [], added: [], deleted: [], refused: [], conflicts: [], gone: [] };
const taken = (version: number, left: unknown[] = []) => ({
  version, said: "Change of a cell", left, left_count: left.length, next: { undo: null, redo: { said: "Change of a cell" } },
});

/** A server that answers as it is told, and writes down what it was asked. */
class Server {
  asked: { path: string; id: string }[] = [];
  answers: (() => unknown)[] = [];
  api = { ask: (path: string, ask?: Ask) => this.answer(path, ask) } as unknown as Api;

  private answer(path: string, ask?: Ask): Promise<unknown> {
    this.asked.push({ path, id: (ask?.body as { operation_id?: string })?.operation_id ?? "" });
    const next = this.answers.shift();
    return next ? Promise.resolve().then(next) : Promise.reject(new Problem(500, "", "not told"));
  }
}

function made(server: Server, isIdle = () => true) {
  const said: string[] = [];
  const versions: number[] = [];
  const undo = new Undo(server.api, "/sheets/1", {
    isIdle, taken: (version) => versions.push(version), said: (text) => said.push(text), changed: () => undefined,
  });
  return { undo, said, versions };
}

const settled = async (done: () => boolean): Promise<void> => {
  for (let tries = 0; !done() && tries < 400; tries += 1) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.ok(done());
};

test("an undo waits until what was typed before it is written", async () => {
  const server = new Server();
  server.answers = [() => taken(8)];
  let idle = false;
  const { undo, versions } = made(server, () => idle);
  undo.press("undo");
  assert.equal(server.asked.length, 0);
  idle = true;
  undo.wake();
  await settled(() => versions.length === 1);
  assert.equal(server.asked[0]?.path, "/sheets/1/undo");
});

test("an undo whose answer was lost is asked for again under the same id", async () => {
  const server = new Server();
  const lost = () => { throw new Problem(0, "offline", "lost"); };
  server.answers = [lost, lost, () => taken(8)];
  const { undo, versions } = made(server);
  undo.press("undo");
  await settled(() => versions.length === 1);
  assert.equal(new Set(server.asked.map((one) => one.id)).size, 1);
  assert.equal(server.asked.length, 3);
});

test("two presses are two undos, one after the other", async () => {
  const server = new Server();
  server.answers = [() => taken(8), () => taken(9)];
  const { undo, versions } = made(server);
  undo.press("undo");
  undo.press("undo");
  await settled(() => versions.length === 2);
  assert.deepEqual(versions, [8, 9]);
  assert.equal(new Set(server.asked.map((one) => one.id)).size, 2);
});

test("where there is nothing to take back, the reason is said and later presses are forgotten", async () => {
  const server = new Server();
  server.answers = [() => { throw new Problem(422, "", "There is nothing of yours to undo in this sheet."); }];
  const { undo, said } = made(server);
  undo.press("undo");
  undo.press("undo");
  await settled(() => said.length === 1);
  assert.deepEqual([said, undo.pending], [["There is nothing of yours to undo in this sheet."], []]);
});

test("what was left alone is kept until it is closed", async () => {
  const server = new Server();
  server.answers = [() => taken(8, [{ row: 1, column: 2, reason: "Somebody else has changed this cell since.", by: "Ben", at: null }])];
  const { undo, said } = made(server);
  undo.press("undo");
  await settled(() => undo.leftCount === 1);
  assert.match(said[0] ?? "", /not all/);
  undo.forget();
  assert.equal(undo.leftCount, 0);
});

test("an action that was written is next to be taken back, one that wrote nothing is not", () => {
  const { undo } = made(new Server());
  const cell = { row: 1, column: 1, value: "x", version: 7 };
  undo.did({ ...NOTHING, saved: [cell, { ...cell, row: 2 }] });
  assert.deepEqual(undo.next, { undo: { said: "Change of 2 cells" }, redo: null });
  undo.did({ ...NOTHING, saved: [{ ...cell, version: 3 }] });
  assert.equal(undo.next.undo?.said, "Change of 2 cells");
  undo.did({ ...NOTHING, deleted: [4] });
  assert.equal(undo.next.undo?.said, "Deletion of a row");
});
