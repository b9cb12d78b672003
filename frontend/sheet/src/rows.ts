// The rows that were read, each with the version it is known at: an older answer never overwrites a newer value.

import type { ChangedRow, Row, CellValue } from "./types";

/** So long a cell that somebody else has changed glows, fading. */
export const HIGHLIGHT_MS = 2000;

export interface Highlight {
  since: number;
  by: string;
}

export interface StoredRow {
  id: number;
  values: Record<string, CellValue>;
  /** All cells are known at least at this version … */
  version: number;
  /** … and these at a later one. */
  cellVersions: Record<string, number>;
  removed: boolean;
  /** Read while it was in the trash: nobody knows what its cells hold. */
  isUnread: boolean;
  highlights: Record<string, Highlight>;
}

export class Rows {
  private rows = new Map<number, StoredRow>();

  get(id: number): StoredRow | undefined {
    return this.rows.get(id);
  }

  /** A row as a page of rows tells it, true at the page's version. */
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

  /** The version of a cell that is on the screen: what an edit of it is based on. */
  versionOf(id: number, column: number): number | null {
    const row = this.rows.get(id);
    return row ? Math.max(row.version, row.cellVersions[column] ?? 0) : null;
  }

  /** My own cell, saved. */
  applySaved(id: number, column: number, value: CellValue, version: number): void {
    const row = this.rows.get(id);
    if (row && version > (this.versionOf(id, column) ?? 0)) this.write(row, String(column), value, version);
  }

  /** What others (or I) changed up to `version`. The changed cells of others glow. False: it has to be read again. */
  applyChange(changed: ChangedRow, version: number, me: string, now: number): boolean {
    const row = this.rows.get(changed.id);
    if (!row) return true;
    // A row that was in the trash all the time is told whole; of one that was there for a while only what changed is.
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
