// The interface of all editors.

import type { MutableRefObject } from "react";
import type { Context } from "../../../sheet/src/format";
import type { Palette } from "../theme";
import type { Column, Input, RelatedRow, RowRef, CellValue } from "../../../sheet/src/types";

export type Move = readonly [columns: -1 | 0 | 1, rows: -1 | 0 | 1];
export const STAY: Move = [0, 0];
/** The user clicked elsewhere: the focus stays there. */
export const LEFT = null;

/** A cell that is being edited. It is identified by its row's id, so it stays the same cell when the row moves. */
export interface Editing {
  row: RowRef;
  column: Column;
  /** The version on the screen when the editor opened, which is the base of the edit. */
  base: number | null;
  value: CellValue;
  text: string;
  /** The character with which typing began; it replaces what was there. */
  typed: string | null;
  cell: readonly [column: number, row: number];
  /** When it opened, by the clock of performance.now(). */
  since: number;
}

export interface EditorProps {
  editing: Editing;
  context: Context;
  palette: Palette;
  /** Reads and adds the rows of other sheets. */
  related: RelatedSource;
  /** The new content, or null to leave the cell as it is. Then the selection moves, unless the editor was just LEFT. */
  done: (input: Input | null, move: Move | typeof LEFT) => void;
  /** The input to write if the page removed the editor now. */
  unsaved: MutableRefObject<() => Input | null>;
}

/** The rows of other sheets that a cell of a relation may name. */
export interface RelatedSource {
  search: (column: Column, text: string, signal: AbortSignal) => Promise<Candidates>;
  /** Add a row with this title to the sheet of the candidates. */
  add: (candidates: Candidates, title: string) => Promise<RelatedRow>;
}

export interface Candidates {
  sheet: number;
  name: string;
  rows: RelatedRow[];
  /** The column to fill in a new row of that sheet; null if the user may not add one. */
  new_title: number | null;
}

/** Where the selection goes after this key, or null where the key does not end editing. */
export function moveOf(event: { key: string; shiftKey: boolean; altKey: boolean; ctrlKey: boolean }): Move | null {
  if (event.key === "Tab") return [event.shiftKey ? -1 : 1, 0];
  if (event.key === "Enter" && !event.altKey && !event.ctrlKey) return [0, event.shiftKey ? -1 : 1];
  return null;
}

/** Typed text as input, or null where nothing was changed. */
export function typedInput(text: string, before: string): Input | null {
  if (text === before) return null;
  return text === "" ? { value: null } : { text };
}

/** Whether the field was left for something else on the page, not for another window or tab. */
export function isLeft(event: { currentTarget: Element }): boolean {
  return document.activeElement !== event.currentTarget;
}
