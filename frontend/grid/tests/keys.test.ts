import assert from "node:assert/strict";
import { test } from "node:test";
import { typedBy } from "../src/editing";
import { shortYear } from "../src/editors/date";

const pressed = (key: string, held: Partial<KeyboardEvent> = {}): string | null =>
  typedBy({ key, getModifierState: () => false, ...held } as unknown as KeyboardEvent);

test("a space types over like any character, and with a modifier it does not", () => {
  assert.equal(pressed(" "), " ");
  assert.equal(pressed("5"), "5");
  for (const held of ["shiftKey", "ctrlKey", "altKey", "metaKey"]) assert.equal(pressed(" ", { [held]: true }), null);
});

test("the editor of dates says which year two digits are", () => {
  assert.deepEqual(["31.12.26", "1/2/49 10:00", "31.12.50", "31.12.2026", "2026-12-31", "31.12."].map(shortYear), ["2026", "2049", "1950", null, null, null]);
});
