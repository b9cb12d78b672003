import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { JSDOM } from "jsdom";
import { convertValue, columnFor, inputOf } from "../src/cell-conversion";
import { plainText } from "../../sheet/src/format";
import { shifted } from "../src/spreadsheet-values";
import { formatTable, tableOf, type Pasted } from "../src/html-table";
import { NEW_TYPES, traitsOf } from "../../sheet/tests/traits";
import type { Column, CellValue } from "../../sheet/src/types";

globalThis.DOMParser = new JSDOM().window.DOMParser;

const HERE = "https://deals.example.com";
const column = (type: string, rules: Column["rules"] = {}, id = 9): Column => ({ id, name: type, type, ...traitsOf(type), rules, options: [] });
const [number, money, percent, date, text] = ["number", "money", "percent", "date", "long_text"].map((type) => column(type));
const block = (name: string): Pasted[][] => tableOf(readFileSync(`grid/tests/clipboards/${name}.html`, "utf8"), HERE) ?? [];
const input = (cell: Pasted | undefined, to: Column | undefined): unknown => {
  assert.ok(cell && to);
  const found = inputOf(cell, to, 1);
  return "text" in found ? found.text : found.value;
};

test("a LibreOffice cell with a line break is one cell, and quotation marks stay", () => {
  const cells = block("libreoffice");
  assert.deepEqual(cells.map((row) => row.length), [6, 6, 6]);
  assert.equal(input(cells[0]?.[0], text), "Acme\nLtd");
  assert.equal(input(cells[0]?.[4], text), '"quoted"');
  assert.equal(input(cells[1]?.[4], text), "007");
  assert.equal(input(cells[2]?.[4], text), "two  spaces");
  assert.equal(input(cells[2]?.[2], text), null);
});

test("numbers of LibreOffice are exact in every column, with their unit", () => {
  const [first = [], second = []] = block("libreoffice");
  assert.equal(input(first[1], money), "1234.5 €");
  assert.equal(input(first[2], percent), "25 %");
  assert.equal(input(second[1], number), "1085");
  assert.equal(input(second[1], text), "1.085");
  assert.equal(input(second[2], percent), "12.3750 %");
});

test("where the exact number has more decimals than a column takes, what is shown counts", () => {
  const third = block("libreoffice")[2]?.[1];
  assert.equal(input(third, column("number", { decimals: 2 })), "0.33");
  assert.equal(input(third, column("number", { decimals: 1 })), "0.333333333333333");
});

test("days of LibreOffice are the days that they count, however they are shown", () => {
  const [first = [], second = [], third = []] = block("libreoffice");
  assert.equal(input(first[3], date), "2026-12-31");
  assert.equal(input(second[3], date), "2026-03-04");
  assert.equal(input(third[3], column("datetime")), "2026-03-04 15:30:00");
  assert.equal(input(first[3], number), "31.12.2026");
  assert.equal(input(second[1], date), "1.085");
});

test("Excel's numbers are read by the marks that it says it shows", () => {
  const [first = [], second = [], third = []] = block("excel");
  assert.equal(input(first[0], text), "Acme\nLtd");
  assert.equal(input(first[1], money), "1234.50 €");
  assert.equal(input(first[2], percent), "25%");
  assert.equal(input(first[3], date), "31.12.2026");
  assert.equal(input(second[0], text), '"quoted"');
  assert.equal(input(second[1], number), "1085");
  assert.equal(input(second[2], percent), "12.3750%");
  assert.equal(input(second[3], text), "a long text that Excel breaks in its source");
  assert.equal(input(third[2], number), "-0.5");
});

test("a cell of Excel that spans two is one, and its row of widths is none", () => {
  const cells = block("excel");
  assert.equal(cells.length, 3);
  assert.deepEqual(cells[2]?.map((cell) => cell.text), ["over two", "", "-0,5", ""]);
});

test("raw values of older Excel are taken", () => {
  const [cells = []] = block("excel2003");
  assert.deepEqual([input(cells[0], number), input(cells[1], number), input(cells[2], text)], ["1085", "7", "  '007"]);
});

test("values of Google Sheets are taken, and one cell alone comes without a table", () => {
  const [first = [], second = []] = block("sheets");
  assert.equal(input(first[0], text), "Acme\nLtd");
  assert.equal(input(first[1], money), "1234.5 $");
  assert.equal(input(first[2], percent), "12.3750 %");
  assert.equal(input(first[3], date), "2026-03-04");
  assert.equal(input(second[0], text), '"quoted"');
  assert.equal(input(second[1], number), "1085");
  assert.equal(input(second[2], column("checkbox")), "TRUE");
  const alone = '<span data-sheets-value="{&quot;1&quot;:3,&quot;3&quot;:1085}" style="font-size:10pt">1.085</span>';
  assert.equal(input(tableOf(alone, HERE)?.[0]?.[0], number), "1085");
});

test("a page with a table in it is no table", () => {
  assert.equal(tableOf("<p>Read this:</p><table><tr><td>1</td></tr></table>", HERE), null);
  assert.equal(tableOf("<p>no table</p>", HERE), null);
});

test("new columns get the type that all their cells have", () => {
  const cells = block("libreoffice");
  const types = [0, 1, 2, 3, 4].map((x) => columnFor(cells.slice(0, 2).flatMap((row) => row[x] ?? []), NEW_TYPES).type);
  assert.deepEqual(types, ["long_text", "text", "text", "date", "text"]);
  assert.equal(columnFor([{ text: "1.085", number: "1085" }, { text: "" }], NEW_TYPES).type, "number");
});

test("a number times a power of ten is exact", () => {
  assert.deepEqual(
    [shifted("0.12375", 2), shifted("1.5E+3", 0), shifted("-2.5e-3", 0), shifted("0.30000000000000004", 0), shifted("abc", 0), shifted("-0", 2)],
    ["12.375", "1500", "-0.0025", "0.3", null, "0"],
  );
  fc.assert(fc.property(fc.integer({ min: -1e9, max: 1e9 }), fc.integer({ min: 0, max: 6 }), (whole, places) => {
    assert.equal(shifted(shifted(String(whole), -places) ?? "", places), String(whole));
  }));
});

// What the clipboard of the grid gives the grid back.

const decimals = fc.tuple(fc.integer({ min: -1e9, max: 1e9 }), fc.integer({ min: 0, max: 4 })).map(([whole, places]) => shifted(String(whole), -places) ?? "");
const rulesOf = fc.record({ number_format: fc.constantFrom("auto", "1,234.56", "1.234,56") });
const numeric = fc.tuple(fc.constantFrom("number", "money", "percent"), rulesOf, fc.constantFrom("EUR", "USD"))
  .map(([type, rules, currency]) => column(type, type === "money" ? { ...rules, currency } : rules));

function through(value: CellValue, from: Column, to: Column, sheet = 1): unknown {
  const number = typeof value === "string" && /^(number|money|percent)$/.test(from.type) ? { number: value } : {};
  const { id, type, form, ids_of, rules } = from;
  const cell = { text: plainText(value, from, { formats: { locale: "de", date: "", time_zone: "" }, people: {} }), own: { sheet, column: { id, type, form, ids_of, rules }, value }, ...number };
  const [copied] = tableOf(formatTable([[cell]], HERE), HERE)?.[0] ?? [];
  assert.ok(copied);
  return inputOf(copied, to, 1);
}

test("a number that is copied to any column is the same number, or carries a unit that the column refuses", () => {
  fc.assert(fc.property(decimals, numeric, numeric, (value, from, to) => {
    const unit = (one: Column): string => (one.type === "percent" ? "%" : one.type === "money" ? one.rules.currency ?? "" : "");
    const found = through(value, from, { ...to, id: 8 });
    if (unit(from) && unit(from) !== unit(to)) assert.deepEqual(found, { text: `${/\.\d{3}$/.test(value) ? `${value}0` : value} ${unit(from)}` });
    else assert.deepEqual(found, { value });
  }));
});

test("a value that is copied into its own column is the value, whatever it is", () => {
  const values = fc.oneof(decimals, fc.string({ unit: "grapheme" }), fc.boolean(), fc.array(fc.constantFrom("o1", "o2")), fc.constant(null));
  fc.assert(fc.property(values, fc.constantFrom("text", "number", "choices", "checkbox", "person", "datetime"), (value, type) => {
    assert.deepEqual(through(value, column(type), column(type)), { value });
  }));
});

test("an instant that is copied to a column with another clock is the same instant", () => {
  const to = column("datetime", { time_zone: "America/New_York" }, 8);
  assert.deepEqual(through("2026-07-01T08:00:00Z", column("datetime", { time_zone: "Europe/Berlin" }), to), { value: "2026-07-01T08:00:00Z" });
});

test("options are known by their labels in other columns, and those of another sheet too", () => {
  const from = { ...column("choices"), options: [{ id: "o1", label: "B, C" }, { id: "o2", label: "A" }] };
  assert.deepEqual(through(["o1"], from, column("choice", {}, 8)), { text: "B, C" });
  assert.deepEqual(through(["o1", "o2"], from, column("choices", {}, 8)), { text: '"B, C", A' });
  const choice = { ...from, type: "choice", ...traitsOf("choice") };
  assert.deepEqual(through("o1", choice, column("choices", {}, 8)), { text: '"B, C"' });
  assert.deepEqual(through("o2", choice, choice, 2), { text: "A" });
  assert.deepEqual(convertValue("o2", "A", from, column("text", {}, 8)), { text: "A" });
});

test("what another origin calls ours is read as any table", () => {
  const cell = { text: "7", own: { sheet: 1, column: { id: 9, type: "person", form: "string" as const, ids_of: "people" as const, rules: {} }, value: "3" } };
  assert.deepEqual(tableOf(formatTable([[cell]], "https://evil.example"), HERE), [[{ text: "7" }]]);
});
