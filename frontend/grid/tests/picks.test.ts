// The lists of choices and people: what is typed means whoever is called so, and is never guessed.

import assert from "node:assert/strict";
import { test } from "node:test";
import { everyPick, isAmbiguous, matching } from "../src/editors/picks";
import type { Column } from "../../sheet/src/types";

const person = { id: 5, name: "Owner", type: "person", ids_of: "people", options: [], rules: {} } as unknown as Column;
const formats = { locale: "en-US", date: "YYYY-MM-DD", time_zone: "UTC" };

function found(people: Record<string, string>, sought: string, me?: string): string[] {
  return matching(everyPick(person, { formats, people, me }), sought).map((pick) => pick.label);
}

test("an entry that is called what was typed comes before one that begins so", () => {
  assert.deepEqual(found({ 1: "Samir", 2: "Bosam", 3: "Sam" }, "sam"), ["Sam", "Samir", "Bosam"]);
});

test("me finds the person who types", () => {
  assert.equal(found({ 1: "James", 2: "Ann", 3: "Mel" }, "me", "2")[0], "Ann");
  assert.deepEqual(found({ 1: "James", 2: "Ann" }, "ME", "2"), ["Ann", "James"]);
});

test("names are found without their accents", () => {
  assert.deepEqual(found({ 1: "Łukasz Strauß", 2: "Émile" }, "strauss"), ["Łukasz Strauß"]);
  assert.deepEqual(found({ 1: "Łukasz", 2: "Émile" }, "ÉMI"), ["Émile"]);
});

test("of two people with one name nobody is taken by the name", () => {
  const picks = everyPick(person, { formats, people: { 7: "Sam", 9: "sam", 11: "Samir" } });
  assert.deepEqual(picks.map((pick) => pick.label), ["Sam (7)", "sam (9)", "Samir"]);
  assert.equal(isAmbiguous(picks, "Sam"), true);
  assert.equal(isAmbiguous(picks, "Sam (9)"), false);
  assert.equal(isAmbiguous(picks, "Samir"), false);
});
