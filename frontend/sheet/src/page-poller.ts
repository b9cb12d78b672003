// When the page around the grid looks at the sheet again: soon after news, and by the clock while nothing is heard.
// A page that hears, and of which nothing is told, costs nothing.

import type { Changes } from "./types";

export const EVERY = 4000;
/** Of changed cells the grid knows all by itself; around it stands no more than who changed one last. */
export const AT_LEISURE = 15_000;
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

/** Whether nothing but cells of rows that stay changed. No rows at all means columns, rights or the sheet itself. */
export function onlyCells({ reset, rows = [] }: Changes): boolean {
  return !reset && rows.length > 0 && rows.every(({ added, removed, restored }) => !(added || removed || restored));
}

export class PagePoller {
  private isLive = false;
  private isDueSoon = false;
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
    if (!this.isDueSoon) this.soon(EVERY);
  }

  /** Cells have changed, and nothing else. */
  cells(): void {
    this.timer ??= setTimeout(this.due, AT_LEISURE);
  }

  /** Something has changed that the page has to know before anything else goes on. */
  now(): void {
    clearTimeout(this.timer);
    this.due();
  }

  end(): void {
    clearTimeout(this.timer);
  }

  private soon(wait: number): void {
    clearTimeout(this.timer);
    this.isDueSoon = true;
    this.timer = setTimeout(this.due, wait);
  }

  private due = (): void => {
    if (this.isBusy()) {
      this.soon(SOON);
      return;
    }
    this.timer = undefined;
    this.isDueSoon = false;
    this.look();
    if (!this.isLive) this.news();
  };
}
