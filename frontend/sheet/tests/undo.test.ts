// Undo in the browser: it waits for earlier edits, is applied once even if the connection breaks, and lists what it skipped.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Problem, type Api, type RequestOptions } from "../src/api";
import type { Outcome } from "../src/types";
import { Undo } from "../src/undo";

const NOTHING: Outcome = { version: 7, saved: [], added: [], deleted: [], refused: [], conflicts: [], gone: [] };
const result = (version: number, skipped: unknown[] = []) => ({
  version, said: "Change of a cell", left: skipped, left_count: skipped.length, next: { undo: null, redo: { said: "Change of a cell" } },
});

/** A server that gives prepared answers and records its requests. */
class Server {
  requests: { path: string; id: string }[] = [];
  answers: (() => unknown)[] = [];
  api = { request: (path: string, options?: RequestOptions) => this.answer(path, options) } as unknown as Api;

  private answer(path: string, options?: RequestOptions): Promise<unknown> {
    this.requests.push({ path, id: (options?.body as { operation_id?: string })?.operation_id ?? "" });
    const next = this.answers.shift();
    return next ? Promise.resolve().then(next) : Promise.reject(new Problem(500, "", "no answer was prepared"));
  }
}

function newUndo(server: Server, isIdle = () => true) {
  const messages: string[] = [];
  const versions: number[] = [];
  const undo = new Undo(server.api, "/sheets/1", {
    isIdle, written: (version) => versions.push(version), message: (text) => messages.push(text), changed: () => undefined,
  });
  return { undo, messages, versions };
}

const waitFor = async (done: () => boolean): Promise<void> => {
  for (let tries = 0; !done() && tries < 400; tries += 1) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.ok(done());
};

test("an undo waits until earlier edits are written", async () => {
  const server = new Server();
  server.answers = [() => result(8)];
  let idle = false;
  const { undo, versions } = newUndo(server, () => idle);
  undo.press("undo");
  assert.equal(server.requests.length, 0);
  idle = true;
  undo.wake();
  await waitFor(() => versions.length === 1);
  assert.equal(server.requests[0]?.path, "/sheets/1/undo");
});

test("an undo whose answer was lost is sent again under the same id", async () => {
  const server = new Server();
  const lost = () => { throw new Problem(0, "offline", "lost"); };
  server.answers = [lost, lost, () => result(8)];
  const { undo, versions } = newUndo(server);
  undo.press("undo");
  await waitFor(() => versions.length === 1);
  assert.equal(new Set(server.requests.map((request) => request.id)).size, 1);
  assert.equal(server.requests.length, 3);
});

test("two presses are two undos, one after the other", async () => {
  const server = new Server();
  server.answers = [() => result(8), () => result(9)];
  const { undo, versions } = newUndo(server);
  undo.press("undo");
  undo.press("undo");
  await waitFor(() => versions.length === 2);
  assert.deepEqual(versions, [8, 9]);
  assert.equal(new Set(server.requests.map((request) => request.id)).size, 2);
});

test("with nothing to undo the reason is shown and later presses are dropped", async () => {
  const server = new Server();
  server.answers = [() => { throw new Problem(422, "", "There is nothing of yours to undo in this sheet."); }];
  const { undo, messages } = newUndo(server);
  undo.press("undo");
  undo.press("undo");
  await waitFor(() => messages.length === 1);
  assert.deepEqual([messages, undo.pending], [["There is nothing of yours to undo in this sheet."], []]);
});

test("skipped changes are listed until the list is closed", async () => {
  const server = new Server();
  server.answers = [() => result(8, [{ row: 1, column: 2, reason: "Somebody else has changed this cell since.", by: "Ben", at: null }])];
  const { undo, messages } = newUndo(server);
  undo.press("undo");
  await waitFor(() => undo.skippedCount === 1);
  assert.match(messages[0] ?? "", /not all/);
  undo.dismissSkipped();
  assert.equal(undo.skippedCount, 0);
});

test("an action that was written is the next to be undone, one that wrote nothing is not", () => {
  const { undo } = newUndo(new Server());
  const cell = { row: 1, column: 1, value: "x", version: 7 };
  undo.recordEdit({ ...NOTHING, saved: [cell, { ...cell, row: 2 }] });
  assert.deepEqual(undo.next, { undo: { said: "Change of 2 cells" }, redo: null });
  undo.recordEdit({ ...NOTHING, saved: [{ ...cell, version: 3 }] });
  assert.equal(undo.next.undo?.said, "Change of 2 cells");
  undo.recordEdit({ ...NOTHING, deleted: [4] });
  assert.equal(undo.next.undo?.said, "Deletion of a row");
});
