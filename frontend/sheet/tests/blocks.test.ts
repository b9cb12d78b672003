import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { BLOCK, Blocks } from "../src/blocks";
import type { RowsPage } from "../src/types";

const MILLION = 1_000_000;

/** A source that keeps every request open until it is told to answer. */
function source() {
  const asked: { offset: number; signal: AbortSignal; answer: () => void }[] = [];
  const dropped: number[] = [];
  const blocks = new Blocks({
    read: (offset, limit, signal) =>
      new Promise<RowsPage>((resolve, reject) => {
        signal.addEventListener("abort", () => reject(new DOMException("stopped", "AbortError")));
        const rows = Array.from({ length: limit }, (_, i) => ({ id: offset + i + 1, values: {} }));
        asked.push({ offset, signal, answer: () => resolve({ version: 1, order: "t", total: MILLION, rows }) });
      }),
    received: () => undefined,
    failed: (error) => assert.fail(String(error)),
    dropped: (ids) => dropped.push(...ids),
  });
  return { blocks, asked, dropped };
}

test("what is looked at is read, and a position knows its row", async () => {
  const { blocks, asked } = source();
  blocks.setVisible([[250, 280]]);
  assert.deepEqual(asked.map((one) => one.offset), [200]);
  asked[0]?.answer();
  await pause(0);
  assert.equal(blocks.idAt(250), 251);
  assert.equal(blocks.idAt(100), undefined);
});

test("what has scrolled away is no longer waited for", async () => {
  const { blocks, asked } = source();
  blocks.setVisible([[0, 30]]);
  blocks.setVisible([[700_000, 700_030]]);
  assert.ok(asked[0]?.signal.aborted);
  await pause(80);
  assert.deepEqual(asked.map((one) => one.offset), [0, 700_000]);
  blocks.stop();
});

test("scrolling through a million rows keeps only some of them", async () => {
  const { blocks, asked, dropped } = source();
  const loading = blocks.load(0, 300 * BLOCK - 1);
  while (asked.length < 300) {
    for (const one of asked) one.answer();
    await pause(0);
  }
  for (const one of asked) one.answer();
  await loading;
  assert.equal(blocks.idAt(0), 1);
  blocks.setVisible([[299 * BLOCK, 299 * BLOCK + 30]]);
  blocks.put(300, []);
  assert.equal(blocks.idAt(0), undefined);
  assert.ok(dropped.includes(1));
  assert.equal(blocks.idAt(299 * BLOCK), 299 * BLOCK + 1);
});

test("all rows of a paste are held together until it is done, however many there are", async () => {
  const { blocks, asked } = source();
  const loading = blocks.load(0, 250 * BLOCK - 1);
  while (asked.length < 250) {
    for (const one of asked) one.answer();
    await pause(0);
  }
  for (const one of asked) one.answer();
  await loading;
  assert.ok(blocks.hasAll(0, 250 * BLOCK - 1));
});
