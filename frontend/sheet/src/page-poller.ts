// When the page around the grid looks at the sheet again: soon after news, and by the clock while nothing is heard.
// A page that hears, and of which nothing is told, costs nothing.

import type { Changes } from "./types";

export const POLL_INTERVAL = 4000;
/** Of changed cells the grid knows all by itself; around it stands no more than who changed one last. */
export const CELL_CHANGE_INTERVAL = 15_000;
/** So soon a look is tried again while the page is drawing itself. */
export const BUSY_RETRY = 250;

/**
 * Whether the page is being drawn, or cannot be reached. Asked to look meanwhile, Streamlit drops what it has not sent of
 * the fragment that the grid stands in: the grid goes away for a moment, and with it what is being typed.
 */
export function pageIsBusy(): boolean {
  const app = document.querySelector("[data-test-script-state]");
  const [script, connection] = ["script", "connection"].map((kind) => app?.getAttribute(`data-test-${kind}-state`));
  return script === "running" || script === "rerunRequested" || (connection ?? "CONNECTED") !== "CONNECTED";
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
  constructor(private refresh: () => void, private isBusy: () => boolean = () => false) {
    this.onChange();
  }

  /** Whether changes are heard of now. */
  setLive(isLive: boolean): void {
    this.isLive = isLive;
    this.onChange();
  }

  /** Something has changed; what comes within a few seconds is looked at once. */
  onChange(): void {
    if (!this.isDueSoon) this.schedule(POLL_INTERVAL);
  }

  /** Cells have changed, and nothing else. */
  onCellChange(): void {
    this.timer ??= setTimeout(this.refreshWhenIdle, CELL_CHANGE_INTERVAL);
  }

  /** Something has changed that the page has to know before anything else goes on. */
  refreshNow(): void {
    clearTimeout(this.timer);
    this.refreshWhenIdle();
  }

  end(): void {
    clearTimeout(this.timer);
  }

  private schedule(wait: number): void {
    clearTimeout(this.timer);
    this.isDueSoon = true;
    this.timer = setTimeout(this.refreshWhenIdle, wait);
  }

  private refreshWhenIdle = (): void => {
    if (this.isBusy()) {
      this.schedule(BUSY_RETRY);
      return;
    }
    this.timer = undefined;
    this.isDueSoon = false;
    this.refresh();
    if (!this.isLive) this.onChange();
  };
}
