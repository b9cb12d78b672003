// The table that a spreadsheet or this grid puts on the clipboard as HTML: cell by cell, with raw values where it names them.

import type { Origin } from "./cell-conversion";
import type { CellValue } from "../../sheet/src/types";

/** One cell of a block that is pasted. */
export interface Pasted {
  /** As the other program shows it. */
  text: string;
  /** The exact number behind it, a decimal or, for dates, the count of days. */
  number?: string;
  /** The decimal separator of displayed numbers. */
  decimal?: "." | ",";
  /** The cell of this workspace that was copied. */
  own?: Own;
}

export interface Own {
  sheet: number;
  column: Origin;
  value: CellValue;
}

const MAX_CELLS = 1_000_000;
/** Makes Excel and LibreOffice keep text that starts with = or 0. */
const AS_TEXT = ` style="mso-number-format:'\\@'" sdnum="1033;0;@"`;
const ELEMENT = 1, TEXT = 3;

/** The cells of the one table that the HTML is; null if it is something else. `origin` is the address of this workspace. */
export function tableOf(html: string, origin: string): Pasted[][] | null {
  if (!/<table|data-sheets-value/i.test(html)) return null;
  const { body } = new DOMParser().parseFromString(html, "text/html");
  const [table, ...others] = body.querySelectorAll("table");
  if (!table) {
    // Google Sheets copies a single cell without a table.
    const cell = body.querySelector("[data-sheets-value]");
    return cell ? [[pasted(cell, null, false)]] : null;
  }
  if (others.length > 0 || textOf(body) !== textOf(table)) return null;
  const isOwn = table.getAttribute("data-contrivance") === origin;
  const cells = grid(table);
  return cells && cells.map((row) => row.map((cell) => (cell ? pasted(cell, decimalMark(html), isOwn) : { text: "" })));
}

/** Rows of cells; where a cell spans several places, the others are empty. */
function grid(table: Element): (Element | null)[][] | null {
  const rows: (Element | null)[][] = [];
  let count = 0;
  // Excel adds a row without height that holds the widths.
  [...table.querySelectorAll("tr")].filter((row) => !isHidden(row)).forEach((row, y) => {
    let x = 0;
    for (const cell of row.children) {
      if (!/^T[DH]$/.test(cell.tagName)) continue;
      while (rows[y]?.[x] !== undefined) x++;
      const [width, height] = [span(cell, "colspan"), span(cell, "rowspan")];
      for (let down = 0; down < height && count < MAX_CELLS; down++) {
        const line = (rows[y + down] ??= []);
        for (let right = 0; right < width && count < MAX_CELLS; right++, count++) line[x + right] = down + right ? null : cell;
      }
    }
    rows[y] ??= [];
  });
  if (count === 0 || count >= MAX_CELLS) return null;
  return rows.map((row) => Array.from(row, (cell) => cell ?? null));
}

const isHidden = (element: Element): boolean => /display:\s*none/i.test(element.getAttribute("style") ?? "");

function span(cell: Element, name: string): number {
  return Math.min(Math.max(Math.trunc(Number(cell.getAttribute(name) ?? 1)) || 1, 1), 1_000);
}

function pasted(cell: Element, decimal: "." | "," | null, isOwn: boolean): Pasted {
  const own = isOwn ? ownOf(cell) : null;
  const raw = rawOf(cell);
  const text = typeof raw === "string" ? raw : textOf(cell);
  return {
    text,
    ...(raw && typeof raw !== "string" && { number: raw.number || text }),
    ...(decimal && { decimal }),
    ...(own && { own }),
  };
}

function ownOf(cell: Element): Own | null {
  return read<Own>(cell.getAttribute("data-contrivance"));
}

/** The raw value beside the displayed one: a text or a number ("" if it equals the displayed text). */
function rawOf(cell: Element): string | { number: string } | null {
  const sheets = read<Record<string, string | number>>(cell.getAttribute("data-sheets-value"));
  if (sheets?.["1"] === 2) return String(sheets["2"] ?? "");
  if (sheets?.["1"] === 3) return { number: String(sheets["3"]) };
  const text = cell.getAttribute("x:str");
  if (text) return text;
  const number = cell.getAttribute("sdval") ?? cell.getAttribute("x:num");
  return number === null ? null : { number };
}

function read<T>(json: string | null): T | null {
  try {
    return json === null ? null : (JSON.parse(json) as T);
  } catch {
    return null;
  }
}

/** The text as it is shown: source lines are one line, <br> and paragraphs are lines. */
function textOf(element: Element): string {
  return nodeText(element).replaceAll("\u00a0", " ").replace(/^\n+|\n+$/g, "").replace(/ *\n */g, "\n").trim();
}

function nodeText(node: Node): string {
  if (node.nodeType === TEXT) return (node.nodeValue ?? "").replace(/\s*[\r\n]+\s*/g, " ");
  if (node.nodeType !== ELEMENT) return "";
  const { tagName } = node as Element;
  if (/^(STYLE|SCRIPT|TITLE|HEAD)$/.test(tagName)) return "";
  if (tagName === "BR") return "\n";
  const content = [...node.childNodes].map(nodeText).join("");
  return /^(P|DIV|LI)$/.test(tagName) ? `\n${content}\n` : content;
}

/** The decimal separator that Excel displayed. */
function decimalMark(html: string): "." | "," | null {
  const match = /mso-displayed-decimal-separator:\s*"\\?([.,])"/.exec(html);
  return (match?.[1] as "." | "," | undefined) ?? null;
}

/** The table for other programs and for this one: texts as texts, numbers with their exact values. */
export function formatTable(rows: readonly (readonly Pasted[])[], origin: string): string {
  const lines = rows.map((row) => `<tr>${row.map(formatCell).join("")}</tr>`);
  return `<meta charset="utf-8"><table data-contrivance="${escaped(origin)}">${lines.join("")}</table>`;
}

function formatCell({ text, own, number }: Pasted): string {
  const attribute = own ? ` data-contrivance="${escaped(JSON.stringify(own))}"` : "";
  const kind = number === undefined ? AS_TEXT : ` sdval="${number}" sdnum="1033;" x:num="${number}"`;
  return `<td${attribute}${text ? kind : ""}>${escaped(text).replaceAll("\n", "<br>")}</td>`;
}

function escaped(text: string): string {
  const marks: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return text.replace(/[&<>"]/g, (mark) => marks[mark] ?? mark);
}
