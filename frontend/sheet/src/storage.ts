// Keeps the outbox over a reload of the page. A tab of its own each: two tabs never send each other's typing.

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
    // The browser's store is full or switched off: what was typed is still in the page, which warns before it closes.
  }
}
