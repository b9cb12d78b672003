// The rows that were read, each with its version: an older answer never overwrites a newer value.

import type { ChangedRow, Row, CellValue } from "./types";

/** How long (ms) a cell that another user changed stays highlighted. */
export const HIGHLIGHT_MS = 2000;

export interface Highlight {
  since: number;
  by: string;
}

export interface StoredRow {
  id: number;
  values: Record<string, CellValue>;
  /** All cells are at least of this version … */
  version: number;
  /** … and these of a later one. */
  cellVersions: Record<string, number>;
  removed: boolean;
  /** Read while it was in the trash, without values. */
  isUnread: boolean;
  highlights: Record<string, Highlight>;
}

export class Rows {
  private rows = new Map<number, StoredRow>();

  get(id: number): StoredRow | undefined {
    return this.rows.get(id);
  }

  /** Store a row of a page that has this version. */
  put(row: Row, version: number): StoredRow {
    const before = this.rows.get(row.id);
    if (before && before.version > version) return before;
    const stored: StoredRow = {
      id: row.id, values: { ...row.values }, version, cellVersions: {}, removed: row.deleted ?? false,
      isUnread: row.deleted ?? false, highlights: before?.highlights ?? {},
    };
    for (const [column, cellVersion] of Object.entries(before?.cellVersions ?? {})) {
      if (cellVersion > version) this.write(stored, column, before?.values[column] ?? null, cellVersion);
    }
    this.rows.set(row.id, stored);
    return stored;
  }

  forget(id: number): void {
    this.rows.delete(id);
  }

  /** The version of a cell on the screen, which is the base of an edit. */
  versionOf(id: number, column: number): number | null {
    const row = this.rows.get(id);
    return row ? Math.max(row.version, row.cellVersions[column] ?? 0) : null;
  }

  /** A number that is greater after each change of a row; -1 for one that is not loaded. */
  stampOf(id: number): number {
    const row = this.rows.get(id);
    return row ? Math.max(row.version, ...Object.values(row.cellVersions)) : -1;
  }

  /** Store a saved value of this user. */
  applySaved(id: number, column: number, value: CellValue, version: number): void {
    const row = this.rows.get(id);
    if (row && version >= (this.versionOf(id, column) ?? 0)) this.write(row, String(column), value, version);
  }

  /** Apply a change up to `version`, highlighting cells that others changed. False if the row must be read again. */
  applyChange(changed: ChangedRow, version: number, me: string, now: number): boolean {
    const row = this.rows.get(changed.id);
    if (!row) return true;
    // A row that was in the trash all the time is sent whole; otherwise only its changed cells are.
    if (row.isUnread && !changed.removed && !changed.restored) return version < row.version;
    const author = String(changed.by?.id ?? "");
    for (const [column, value] of Object.entries(changed.values)) {
      const cellVersion = changed.versions[column] ?? version;
      if (!row.isUnread && cellVersion <= Math.max(row.version, row.cellVersions[column] ?? 0)) continue;
      this.write(row, column, value, cellVersion);
      if (author !== me) row.highlights[column] = { since: now, by: author };
    }
    if (version >= row.version) {
      row.removed = changed.removed ?? false;
      row.isUnread &&= row.removed;
      row.version = version;
    }
    return true;
  }

  markRemoved(id: number): void {
    const row = this.rows.get(id);
    if (row) row.removed = true;
  }

  private write(row: StoredRow, column: string, value: CellValue, version: number): void {
    row.values[column] = value;
    row.cellVersions[column] = version;
  }
}
