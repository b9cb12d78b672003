// When the page around the grid looks at the sheet again: soon after news, and by the clock while nothing is heard.
// A page that hears, and of which nothing is told, costs nothing.

export const EVERY = 4000;

export class Lookout {
  private isLive = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** `look` has the page read the sheet's rights, name, columns and version once more. */
  constructor(private look: () => void) {
    this.news();
  }

  /** Whether changes are heard of now. */
  told(isLive: boolean): void {
    this.isLive = isLive;
    this.news();
  }

  /** Something has changed; what comes within a few seconds is looked at once. */
  news(): void {
    this.timer ??= setTimeout(this.due, EVERY);
  }

  end(): void {
    clearTimeout(this.timer);
  }

  private due = (): void => {
    this.timer = undefined;
    this.look();
    if (!this.isLive) this.news();
  };
}
