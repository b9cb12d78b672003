// Which other users have the sheet open and in which cell they are, and which cell this user is in.

/** One open connection, as the server sends it. A cell that this user may not see is null. */
export interface Present {
  connection: string;
  user: number;
  row: number | null;
  column: number | null;
}

/** Another user, once even with several tabs, with the cell that they selected last. */
export interface Other {
  id: string;
  row: number | null;
  column: number | null;
}

type Cell = [row: number, column: number];

/** Delay (ms) before a cell is sent: while a key is held down, only the last cell is. */
export const SEND_DELAY = 150;

export class Presence {
  /** In the order in which they joined, so that the others keep their position when one of them leaves. */
  others: Other[] = [];
  private usersByCell = new Map<string, string[]>();
  /** The selected cell of each view that has one, the last selected one at the end. */
  private ownCells = new Map<object, Cell>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private me: string,
    private sendMessage: (message: { cell: Cell | null }) => void,
    private changed: () => void,
  ) {}

  /** Set the selected cell of a view; null where none is selected or its row is not saved yet. */
  move(view: object, row: number | null, column: number | null): void {
    const before = this.ownCell;
    this.ownCells.delete(view);
    if (row !== null && column !== null) this.ownCells.set(view, [row, column]);
    if (String(before) === String(this.ownCell)) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(this.send, SEND_DELAY);
  }

  /** Send the cell of this user. The server answers with the list of all who are present. */
  send = (): void => {
    clearTimeout(this.timer);
    this.sendMessage({ cell: this.ownCell });
  };

  /** Take over the list of who is present. */
  update(present: Present[]): void {
    const others = otherUsers(present, this.me, this.others);
    if (JSON.stringify(others) === JSON.stringify(this.others)) return;
    this.others = others;
    this.usersByCell.clear();
    for (const { id, row, column } of others) {
      if (row === null || column === null) continue;
      const key = `${row}:${column}`;
      this.usersByCell.set(key, [...(this.usersByCell.get(key) ?? []), id]);
    }
    this.changed();
  }

  /** The ids of the other users in a cell. */
  at(row: number, column: number): readonly string[] {
    return this.usersByCell.get(`${row}:${column}`) ?? NOBODY;
  }

  /** Forget the others, because the server does not report them any more. */
  clear(): void {
    this.update([]);
  }

  end(): void {
    clearTimeout(this.timer);
  }

  /** The cell that was selected last in any view. */
  private get ownCell(): Cell | null {
    return [...this.ownCells.values()].at(-1) ?? null;
  }
}

const NOBODY: readonly string[] = [];

/** Every other user once: those of `before` in their order, then the new ones. */
export function otherUsers(present: Present[], me: string, before: readonly Other[]): Other[] {
  const users = new Map<string, Other>();
  for (const { user, row, column } of present) {
    const id = String(user);
    const isInCell = row !== null && column !== null;
    if (id !== me && (isInCell || !users.has(id))) users.set(id, isInCell ? { id, row, column } : { id, row: null, column: null });
  }
  const stayed = before.flatMap(({ id }) => users.get(id) ?? []);
  const stayedIds = new Set(stayed.map(({ id }) => id));
  return [...stayed, ...[...users.values()].filter(({ id }) => !stayedIds.has(id))];
}

/** The initials of a name: the first letters of its first and its last word. */
export function initials(name: string): string {
  const words = name.split(/\s+/).filter(Boolean);
  const letters = [words[0], words.length > 1 ? words.at(-1) : ""].map((word) => [...(word ?? "")][0] ?? "");
  return letters.join("").toUpperCase() || "?";
}
