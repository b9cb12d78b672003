// Keeps the outbox when the page is reloaded. Each tab has its own, so two tabs never send each other's edits.

import type { Outbox } from "./outbox";
import type { Saved } from "./commands";

const storageKey = (user: string, sheet: number): string => `contrivance:outbox:${user}:${sheet}`;

export function loadOutbox(user: string, sheet: number): Saved | null {
  try {
    return JSON.parse(sessionStorage.getItem(storageKey(user, sheet)) ?? "null") as Saved | null;
  } catch {
    return null;
  }
}

export function saveOutbox(user: string, sheet: number, outbox: Outbox): void {
  try {
    if (outbox.empty) sessionStorage.removeItem(storageKey(user, sheet));
    else sessionStorage.setItem(storageKey(user, sheet), JSON.stringify(outbox));
  } catch {
    // The browser's storage is full or disabled: the edits are still in the page, which warns before it is closed.
  }
}
