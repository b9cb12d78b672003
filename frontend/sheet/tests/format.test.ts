import assert from "node:assert/strict";
import { test } from "node:test";
import { formatDate, formatNumber, localTime, plainText, displayText, editorText } from "../src/format";
import { traitsOf } from "./traits";
import type { Column } from "../src/types";

const column = (type: string, rules: Column["rules"] = {}, options: Column["options"] = []): Column => ({
  id: 1, name: "Column", type, ...traitsOf(type), rules, options,
});
const context = { formats: { locale: "en-GB", date: "DD.MM.YYYY", time_zone: "Europe/Berlin" }, people: { 12: "Ann" } };

test("money with more digits than a binary float holds is shown to the last digit", () => {
  const money = column("money", { currency: "EUR", decimals: 2 });
  assert.equal(formatNumber("12345678901234567.89", money, "en-GB"), "€12,345,678,901,234,567.89");
});

test("digits beyond the column's decimals are not hidden", () => {
  assert.equal(formatNumber("1.2345", column("number", { decimals: 2 }), "en-GB"), "1.2345");
  assert.equal(formatNumber("5", column("number", { decimals: 2 }), "en-GB"), "5.00");
});

test("a percentage is the figure that is stored", () => {
  assert.equal(formatNumber("25", column("percent"), "en-GB"), "25%");
});

test("a date follows the user's pattern and never a time zone", () => {
  assert.equal(formatDate("2026-12-31", context.formats), "31.12.2026");
  assert.equal(formatDate("2026-01-05", { ...context.formats, date: "D MMM YYYY" }), "5 Jan 2026");
});

test("an instant is shown by the clock of its column, whoever looks", () => {
  const meeting = column("datetime", { time_zone: "America/New_York" });
  assert.equal(displayText("2026-12-31T23:30:00Z", meeting, context), "31.12.2026 18:30");
  assert.equal(displayText("2026-12-31T23:30:00Z", column("datetime"), context), "31.12.2026 23:30");
  assert.equal(localTime("2026-12-31T23:30:00Z", "Europe/Berlin"), "2027-01-01 00:30");
});

test("an instant is copied so that it can be typed again: to the second, and with its offset in the hour that comes twice", () => {
  const berlin = column("datetime", { time_zone: "Europe/Berlin" });
  assert.equal(plainText("2026-07-01T08:00:00Z", berlin, context), "2026-07-01 10:00");
  assert.equal(plainText("2026-07-01T08:00:30Z", berlin, context), "2026-07-01 10:00:30");
  assert.equal(plainText("2026-10-25T00:30:00Z", berlin, context), "2026-10-25 02:30+02:00");
  assert.equal(plainText("2026-10-25T01:30:00Z", berlin, context), "2026-10-25 02:30+01:00");
  assert.equal(plainText("2026-11-01T06:30:00Z", column("datetime", { time_zone: "America/New_York" }), context), "2026-11-01 01:30-05:00");
  assert.equal(plainText("no instant", berlin, context), "no instant");
});

test("choices and people are copied by their names", () => {
  const choices = column("choices", {}, [{ id: "o1", label: "A" }, { id: "o2", label: "B, C" }]);
  assert.equal(plainText(["o1", "o2"], choices, context), 'A, "B, C"');
  assert.equal(plainText("12", column("person"), context), "Ann");
});

test("the editor shows a number as its column reads it, and what is copied is one number everywhere", () => {
  const texts = (format: string): string[] => ["1.085", "12.5", "-7"].map((value) => editorText(value, column("number", { number_format: format }), context));
  assert.deepEqual(texts("1.234,56"), ["1,085", "12,5", "-7"]);
  assert.deepEqual(texts("1,234.56"), ["1.085", "12.5", "-7"]);
  assert.deepEqual(texts("auto"), ["1.0850", "12.5", "-7"]);
  assert.equal(plainText("1.085", column("percent", { number_format: "1.234,56" }), context), "1.0850");
});

test("the reason of an error stands in its cell, however the column writes its values", () => {
  const error = { error: "The divisor is 0." };
  for (const type of ["number", "date", "datetime", "text", "checkbox"]) {
    assert.equal(displayText(error, column(type), context), "#ERROR The divisor is 0.");
    assert.equal(plainText(error, column(type), context), "#ERROR The divisor is 0.");
  }
});
