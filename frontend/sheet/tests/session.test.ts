// Several views of one sheet in one window: one outbox, one socket, and each shows the unsaved edits of the others at once.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { openView } from "../src/session";
import type { CellValue } from "../src/types";
import type { SheetView } from "../src/view";

class Socket {
  static OPEN = 1;
  static all: Socket[] = [];
  readyState = 1;
  sent: string[] = [];
  onmessage: ((message: { data: string }) => void) | null = null;
  onclose: unknown = null;

  constructor(readonly url: string) {
    Socket.all.push(this);
  }

  send(message: string): void {
    this.sent.push(message);
  }

  close(): void {
    this.readyState = 3;
  }

  receive(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
}

interface Patch {
  operation_id: string;
  edits: { row: number; column: number; value: CellValue }[];
  adds: { key: string; cells: Record<string, { value: CellValue }> }[];
}

/** A server with one sheet of three rows and one column. Writes are answered when the test says so. */
class Server {
  version = 5;
  values = new Map<number, CellValue>([[1, "a"], [2, "b"], [3, "c"]]);
  patches: Patch[] = [];
  private answers: (() => void)[] = [];

  fetch = async (address: string, { method, body, signal }: RequestInit): Promise<Response> => {
    const { pathname } = new URL(address);
    if (method === "PATCH") {
      this.patches.push(JSON.parse(String(body)) as Patch);
      await new Promise<void>((resolve) => this.answers.push(resolve));
      return Response.json(this.write(this.patches.at(-1) as Patch));
    }
    await new Promise((resolve) => setImmediate(resolve));
    signal?.throwIfAborted();
    if (pathname.endsWith("/order")) return Response.json({ order: "o", version: this.version, total: this.values.size });
    if (pathname.endsWith("/rows")) return Response.json({ version: this.version, order: "o", total: 3, rows: this.rows() });
    if (pathname.endsWith("/changes")) return Response.json({ version: this.version, reset: false, rows: [] });
    return Response.json({ undo: null, redo: null });
  };

  answer(): void {
    this.answers.shift()?.();
  }

  private rows(): object[] {
    return [...this.values].map(([id, value]) => ({ id, values: { 1: value } }));
  }

  private write({ edits, adds }: Patch): object {
    this.version += 1;
    const saved = edits.map((edit) => ({ ...edit, version: this.version }));
    for (const { row, value } of edits) this.values.set(row, value);
    const added = adds.map(({ key, cells }, index) => ({ key, row: 10 + index, values: { 1: cells[1]?.value ?? null } }));
    return { version: this.version, saved, added, deleted: [], refused: [], conflicts: [], gone: [] };
  }
}

let server: Server;
let views: SheetView[];
const open = (sheet = 1, user = "7"): SheetView => {
  const view = openView(sheet, user, null, () => undefined);
  view.show({});
  views.push(view);
  return view;
};
const sockets = (): Socket[] => Socket.all.filter(({ readyState }) => readyState === 1);
const until = async (isTrue: () => boolean): Promise<void> => {
  for (let tries = 0; !isTrue() && tries < 1000; tries++) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.ok(isTrue());
};

beforeEach(() => {
  server = new Server();
  views = [];
  Socket.all = [];
  const stored = new Map<string, string>();
  Object.assign(globalThis, {
    window: new EventTarget(),
    document: Object.assign(new EventTarget(), { hidden: false, querySelector: () => null }),
    location: { origin: "http://sheet.test" },
    WebSocket: Socket,
    fetch: server.fetch,
    sessionStorage: {
      getItem: (key: string) => stored.get(key) ?? null,
      setItem: (key: string, text: string) => void stored.set(key, text),
      removeItem: (key: string) => void stored.delete(key),
    },
  });
});

afterEach(async () => {
  for (const view of views) if (view.session.views.has(view)) view.close();
  for (const { session } of views) {
    await until(() => {
      server.answer();
      return session.isEnded;
    });
  }
});

test("two views of a sheet share one outbox and one socket, another sheet or user has its own", async () => {
  const [grid, board] = [open(), open()];
  assert.equal(grid.session, board.session);
  assert.equal(grid.session.outbox, board.session.outbox);
  assert.equal(sockets().length, 1);
  assert.notEqual(open(2).session, grid.session);
  assert.notEqual(open(1, "8").session, grid.session);
  assert.equal(sockets().length, 3);
});

test("an edit in one view is shown in the other before it is saved, is sent once, and is saved in both", async () => {
  const [grid, board] = [open(), open()];
  await until(() => [grid, board].every(({ reader }) => reader.total === 3));
  let notifications = 0;
  board.session.subscribe(() => (notifications += 1));
  grid.session.write([{ row: 2, column: 1, input: { value: "new" }, base: grid.baseOf(2, 1) }]);
  assert.deepEqual(board.cell(2, 1).state, { state: "saving", input: { value: "new" } });
  assert.equal(board.session.pendingCount, 1);
  await until(() => notifications > 0);
  server.answer();
  await until(() => board.session.pendingCount === 0);
  assert.equal(server.patches.length, 1);
  for (const view of [grid, board]) assert.deepEqual(view.cell(2, 1), { value: "new", state: undefined });
  assert.equal(board.baseOf(2, 1), 6);
});

test("a new row is a draft in every view, and gets its number in every view", async () => {
  const [grid, board] = [open(), open()];
  await until(() => [grid, board].every(({ reader }) => reader.total === 3));
  grid.session.write([{ row: "draft", column: 1, input: { value: "new" }, base: null }]);
  assert.deepEqual(board.reader.lines.at(3), { kind: "draft", key: "draft" });
  server.answer();
  await until(() => grid.session.pendingCount === 0);
  for (const { reader } of [grid, board]) assert.deepEqual(reader.lines.at(3), { kind: "row", id: 10 });
  assert.deepEqual(board.rows(2, 9).map((row) => row?.id), [3, 10]);
});

test("a rejected edit is rejected in every view, and discarded in every view", async () => {
  const [grid, board] = [open(), open()];
  grid.session.write([{ row: 1, column: 1, input: { value: "new" }, base: 5 }]);
  const [command] = grid.session.outbox.toJSON().queue;
  grid.session.outbox.refuse(String(command?.id), "refused", "No.");
  assert.equal(board.session.rejectedEdits[0]?.reason, "No.");
  assert.equal(board.cell(1, 1).state?.state, "refused");
  board.session.discard(board.session.rejectedEdits);
  assert.equal(grid.cell(1, 1).state, undefined);
});

test("changes of other users come over the one socket into every view", async () => {
  const [grid, board] = [open(), open()];
  await until(() => [grid, board].every(({ reader }) => reader.total === 3));
  const rows = [{ id: 3, values: { 1: "theirs" }, versions: { 1: 6 }, by: { id: 9, name: "Ben" } }];
  sockets()[0]?.receive({ version: 5 });
  sockets()[0]?.receive({ version: 6, since: 5, changes: { version: 6, reset: false, rows } });
  await until(() => [grid, board].every((view) => view.cell(3, 1).value === "theirs"));
});

test("the socket stays until the last view is closed", () => {
  const [grid, board] = [open(), open()];
  grid.close();
  assert.equal(sockets().length, 1);
  board.close();
  assert.equal(sockets().length, 0);
  assert.notEqual(open().session, board.session);
});

test("unsaved edits are sent after the last view is closed, and a view that opens meanwhile shows them", async () => {
  const grid = open();
  grid.session.write([{ row: 1, column: 1, input: { value: "late" }, base: 5 }]);
  grid.close();
  assert.equal(sockets().length, 0);
  const board = open();
  assert.equal(board.session, grid.session);
  assert.equal(board.cell(1, 1).state?.state, "saving");
  assert.equal(sockets().length, 1);
  board.close();
  server.answer();
  await until(() => board.session.isEnded);
  assert.equal(server.values.get(1), "late");
  assert.notEqual(open().session, board.session);
});
