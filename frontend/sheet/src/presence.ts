// Who else is on the sheet, and in which cell; and, for them, where I am.

/** One open grid, as the server tells it. A cell that I may not see is null. */
export interface Present {
  connection: string;
  user: number;
  row: number | null;
  column: number | null;
}

/** Somebody else, once however many tabs they have open; the cell they came to last, if they are in one. */
export interface Other {
  id: string;
  row: number | null;
  column: number | null;
}

type Place = [row: number, column: number] | null;

/** Moving with a key held down says where it ends, not every cell on the way. */
export const SAY_AFTER = 150;

export class Presence {
  /** In the order in which they came, so that nobody's place moves when somebody leaves. */
  others: Other[] = [];
  private cells = new Map<string, string[]>();
  private mine: Place = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private me: string,
    private say: (message: { cell: Place }) => void,
    private changed: () => void,
  ) {}

  /** I am in this cell now; in none where it has no row yet. */
  move(row: number | null, column: number | null): void {
    const place: Place = row === null || column === null ? null : [row, column];
    if (String(place) === String(this.mine)) return;
    this.mine = place;
    clearTimeout(this.timer);
    this.timer = setTimeout(this.tell, SAY_AFTER);
  }

  /** The line is open: say where I am. That is also how one asks who else is there. */
  tell = (): void => {
    clearTimeout(this.timer);
    this.say({ cell: this.mine });
  };

  hear(present: Present[]): void {
    const others = gathered(present, this.me, this.others);
    if (JSON.stringify(others) === JSON.stringify(this.others)) return;
    this.others = others;
    this.cells.clear();
    for (const { id, row, column } of others) {
      if (row === null || column === null) continue;
      const key = `${row}:${column}`;
      this.cells.set(key, [...(this.cells.get(key) ?? []), id]);
    }
    this.changed();
  }

  /** Who is in a cell. */
  at(row: number, column: number): readonly string[] {
    return this.cells.get(`${row}:${column}`) ?? NOBODY;
  }

  /** Nobody tells any more who is there. */
  clear(): void {
    this.hear([]);
  }

  end(): void {
    clearTimeout(this.timer);
  }
}

const NOBODY: readonly string[] = [];

/** Everybody but me, once each: who was there keeps their place, who is new comes after them. */
export function gathered(present: Present[], me: string, before: readonly Other[]): Other[] {
  const found = new Map<string, Other>();
  for (const { user, row, column } of present) {
    const id = String(user);
    const isInCell = row !== null && column !== null;
    if (id !== me && (isInCell || !found.has(id))) found.set(id, isInCell ? { id, row, column } : { id, row: null, column: null });
  }
  const kept = before.flatMap(({ id }) => found.get(id) ?? []);
  const known = new Set(kept.map(({ id }) => id));
  return [...kept, ...[...found.values()].filter(({ id }) => !known.has(id))];
}

/** The letters that stand for a name: of its first and its last word. */
export function initials(name: string): string {
  const words = name.split(/\s+/).filter(Boolean);
  const letters = [words[0], words.length > 1 ? words.at(-1) : ""].map((word) => [...(word ?? "")][0] ?? "");
  return letters.join("").toUpperCase() || "?";
}
