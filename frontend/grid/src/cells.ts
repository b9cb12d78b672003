// Turns a line and a column into what the canvas draws there.

import { GridCellKind, type CustomCell } from "@glideapps/glide-data-grid";
import { errorOf, idsIn, isNumber, plainText, displayText, displayInput, relatedRows, type Context } from "../../sheet/src/format";
import type { Line } from "../../sheet/src/lines";
import type { CellState } from "../../sheet/src/commands";
import type { StoredRow } from "../../sheet/src/rows";
import { authorTint, optionTint, type Palette, type Tint } from "./theme";
import type { Column, CellValue } from "../../sheet/src/types";
import { groupText, type GroupCell } from "./group-cells";
import type { CellUsers } from "./presence-marks";

export interface Chip {
  label: string;
  tint: Tint;
  retired: boolean;
}

export interface CellLook {
  kind: "cell";
  column: Column;
  line: Line;
  value: CellValue;
  text: string;
  chips: Chip[] | null;
  checked: boolean | null;
  href: string | null;
  right: boolean;
  mark: CellState["state"] | null;
  removed: boolean;
  highlight: { since: number; color: string } | null;
  hint: string | null;
  opens: boolean;
  /** The header of a group. */
  group?: GroupCell;
  /** Other users in this cell. */
  users?: CellUsers;
}

export type Cell = CustomCell<CellLook>;

export interface Scene {
  context: Context;
  palette: Palette;
  canEdit: boolean;
  canAdd: boolean;
}

/** What one cell looks like. `first`: it is in the pinned column. */
export function look(
  line: Line, column: Column, first: boolean, scene: Scene, stored?: StoredRow, state?: CellState,
): Cell {
  if (line.kind === "loading") return cell(blank(line, column), "", true);
  const input = state?.input;
  const typed = input && "text" in input ? input.text : null;
  const value = input ? ("value" in input ? input.value : null) : (stored?.values[column.id] ?? null);
  const text = input ? displayInput(input, column, scene.context) : displayText(value, column, scene.context);
  const copyText = typed ?? (isNumber(column) && typeof value === "string" ? value : plainText(value, column, scene.context));
  const data: CellLook = {
    ...blank(line, column),
    value, text,
    chips: typed === null ? chips(value, column, scene) : null,
    checked: column.form === "boolean" && typed === null && line.kind !== "new" && errorOf(value) === null ? value === true : null,
    href: errorOf(value) === null ? href(text, column) : null,
    // The reason of an error is read from its beginning, also where a number would stand on the right.
    right: errorOf(value) === null && (column.align_right ?? isNumber(column)),
    mark: state?.state ?? null,
    removed: stored?.removed ?? false,
    highlight: highlightOf(column, scene.palette, stored),
    hint: line.kind === "new" && first && scene.canAdd ? "New row" : null,
    opens: first && line.kind === "row",
  };
  return cell(data, copyText, (line.kind === "new" ? !scene.canAdd : !scene.canEdit) || !!column.read_only, tintOf(data.mark, scene.palette));
}

/** A cell of the line above the rows of a group. */
export function groupLook(line: Line, column: Column, group: GroupCell, palette: Palette): Cell {
  return cell({ ...blank(line, column), group }, groupText(group), true, palette.header);
}

function blank(line: Line, column: Column): CellLook {
  return {
    kind: "cell", line, column, value: null, text: "", chips: null, checked: null, href: null, right: false,
    mark: null, removed: false, highlight: null, hint: null, opens: false,
  };
}

function cell(data: CellLook, copyData: string, readonly: boolean, background?: string): Cell {
  return {
    kind: GridCellKind.Custom,
    // Our own editor opens instead of the library's: it identifies the row by its id, not by its line.
    allowOverlay: false,
    readonly,
    copyData,
    data,
    ...(background && { themeOverride: { bgCell: background } }),
  };
}

function tintOf(mark: CellLook["mark"], palette: Palette): string | undefined {
  if (mark === "refused" || mark === "gone") return palette.refused.background;
  if (mark === "conflict") return palette.conflict.background;
  return undefined;
}

function chips(value: CellValue, column: Column, { palette, context }: Scene): Chip[] | null {
  if (column.ids_of === "people" && typeof value === "string") {
    const name = context.people[value];
    if (name === undefined) context.onMissingName?.();
    const label = name ?? (context.peoplePending ? "…" : `Person ${value}`);
    return [{ label, tint: authorTint(value, palette), retired: name === undefined && !context.peoplePending }];
  }
  if (column.ids_of === "rows") {
    return relatedRows(value).map(({ title }) => ({ label: title, tint: optionTint(null, palette), retired: false }));
  }
  if (column.ids_of !== "options") return null;
  const ids = typeof value === "string" ? [value] : idsIn(value);
  return ids.map((id) => {
    const option = column.options.find((candidate) => candidate.id === id);
    return { label: option?.label ?? id, tint: optionTint(option?.color, palette), retired: option?.retired ?? true };
  });
}

function highlightOf(column: Column, palette: Palette, stored?: StoredRow): CellLook["highlight"] {
  const highlight = stored?.highlights[column.id];
  return highlight ? { since: highlight.since, color: authorTint(highlight.by, palette).strong } : null;
}

/** The address that a cell opens: web, e-mail or telephone; null for any other text. */
export function href(text: string, column: Column): string | null {
  if (!text) return null;
  if (column.scheme === "mailto") return `mailto:${encodeURIComponent(text).replace("%40", "@")}`;
  if (column.scheme === "tel") return `tel:${text.replace(/[^\d+]/g, "")}`;
  return column.scheme === "https" && /^https?:\/\//i.test(text) && URL.canParse(text) ? text : null;
}
