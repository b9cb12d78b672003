// Blocks of cells as text, the way spreadsheets put them on the clipboard.

/** Rows of cells from tab-separated text. A quoted cell may hold tabs, line ends and doubled quotes. */
export function parseBlock(text: string): string[][] {
  const rows: string[][] = [[]];
  let at = 0;
  while (at <= text.length) {
    const [cell, end] = text[at] === '"' ? quotedCell(text, at) : plainCell(text, at);
    rows.at(-1)?.push(cell);
    if (end >= text.length) break;
    if (text[end] === "\t") {
      at = end + 1;
      continue;
    }
    at = end + (text.startsWith("\r\n", end) ? 2 : 1);
    // The line end after the last row does not start another row.
    if (at >= text.length) break;
    rows.push([]);
  }
  return rows;
}

function plainCell(text: string, from: number): [string, number] {
  let end = from;
  while (end < text.length && !"\t\r\n".includes(text.charAt(end))) end++;
  return [text.slice(from, end), end];
}

/** A cell in quotes. Quotes that do not enclose the whole cell, or that it does not need, are part of its text. */
function quotedCell(text: string, from: number): [string, number] {
  const closing = /"(?:[^"]|"")*"(?=[\t\r\n]|$)/y;
  closing.lastIndex = from;
  const match = closing.exec(text);
  if (!match || !QUOTED.test(match[0].slice(1, -1))) return plainCell(text, from);
  return [match[0].slice(1, -1).replaceAll('""', '"'), closing.lastIndex];
}

export function formatBlock(rows: readonly (readonly string[])[]): string {
  return rows.map((row) => row.map(formatCell).join("\t")).join("\n");
}

/** The characters for which spreadsheets quote a cell. */
const QUOTED = /[\t\r\n"]/;

function formatCell(text: string): string {
  return /[\t\r\n]|^"/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
