// When the page around a view is refreshed: soon after a change, and at an interval while there is no connection.
// A connected page without changes sends no requests.

import type { Changes } from "./types";

export const POLL_INTERVAL = 4000;
/** Views receive changed cells themselves; the page only shows who made the last change. */
export const CELL_CHANGE_INTERVAL = 15_000;
/** Delay (ms) before the next attempt while the page is being drawn. */
export const BUSY_RETRY = 250;

/**
 * Whether the page is being drawn, or cannot be reached. If it is refreshed then, Streamlit drops the unsent part of
 * the grid's fragment: the grid disappears for a moment, and with it what is being typed.
 */
export function pageIsBusy(): boolean {
  const app = document.querySelector("[data-test-script-state]");
  const [script, connection] = ["script", "connection"].map((kind) => app?.getAttribute(`data-test-${kind}-state`));
  return script === "running" || script === "rerunRequested" || (connection ?? "CONNECTED") !== "CONNECTED";
}

/** Whether only cells changed, in rows that stay. Without rows, columns, rights or the sheet itself changed. */
export function onlyCells({ reset, rows = [] }: Changes): boolean {
  return !reset && rows.length > 0 && rows.every(({ added, removed, restored }) => !(added || removed || restored));
}

export class PagePoller {
  private isLive = false;
  private isDueSoon = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** `refresh` makes the page read rights, name, columns and version again; it is not called while the page `isBusy`. */
  constructor(private refresh: () => void, private isBusy: () => boolean = () => false) {
    this.onChange();
  }

  /** The connection was opened or lost. */
  setLive(isLive: boolean): void {
    this.isLive = isLive;
    this.onChange();
  }

  /** Something has changed. Changes within a few seconds lead to one refresh. */
  onChange(): void {
    if (!this.isDueSoon) this.schedule(POLL_INTERVAL);
  }

  /** Only cells have changed. */
  onCellChange(): void {
    this.timer ??= setTimeout(this.refreshWhenIdle, CELL_CHANGE_INTERVAL);
  }

  /** Something has changed that the page must know at once. */
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
