// When the page around the grid looks at the sheet again: soon after news, and by the clock while nothing is heard.
// A page that hears, and of which nothing is told, costs nothing.

export const EVERY = 4000;
/** So soon a look is tried again while the page is drawing itself. */
export const SOON = 250;

/**
 * Whether the page is being drawn, or cannot be reached. Asked to look meanwhile, Streamlit drops what it has not sent of
 * the fragment that the grid stands in: the grid goes away for a moment, and with it what is being typed.
 */
export function pageIsBusy(): boolean {
  const app = document.querySelector("[data-test-script-state]");
  const [script, line] = ["script", "connection"].map((of) => app?.getAttribute(`data-test-${of}-state`));
  return script === "running" || script === "rerunRequested" || (line ?? "CONNECTED") !== "CONNECTED";
}

export class Lookout {
  private isLive = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** `look` has the page read the sheet's rights, name, columns and version once more; never while it `isBusy`. */
  constructor(private look: () => void, private isBusy: () => boolean = () => false) {
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

  /** Something has changed that the page has to know before anything else goes on. */
  now(): void {
    clearTimeout(this.timer);
    this.due();
  }

  end(): void {
    clearTimeout(this.timer);
  }

  private due = (): void => {
    this.timer = undefined;
    if (this.isBusy()) {
      this.timer = setTimeout(this.due, SOON);
      return;
    }
    this.look();
    if (!this.isLive) this.news();
  };
}
