// The keys of the grid that belong to no cell: search, help, add a row.

import { useEffect, useRef, type RefObject } from "react";

export interface Shortcuts {
  search: () => void;
  help: () => void;
  addRow: (() => void) | null;
}

/** Listen while the grid has the focus, or nothing has it, and no editor is open. */
export function useShortcuts(shortcuts: Shortcuts, box: RefObject<HTMLElement | null>, isTyping: boolean): void {
  const now = useRef({ shortcuts, isTyping });
  now.current = { shortcuts, isTyping };
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      const act = actOf(event, now.current.shortcuts);
      if (!act || now.current.isTyping || !isHere(box.current)) return;
      event.preventDefault();
      event.stopPropagation();
      act();
    };
    window.addEventListener("keydown", press, true);
    return () => window.removeEventListener("keydown", press, true);
  }, [box]);
}

function isHere(box: HTMLElement | null): boolean {
  const element = document.activeElement;
  if (element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement) return false;
  return element === document.body || (box?.contains(element) ?? false);
}

function actOf(event: KeyboardEvent, { search, help, addRow }: Shortcuts): (() => void) | null {
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return null;
  if (event.key.toLowerCase() === "f" && !event.shiftKey) return search;
  if (event.key === "/") return help;
  return event.key === "Enter" && !event.shiftKey ? addRow : null;
}

/** The page's field that searches the sheet, opened and focused. */
export function focusSearch(): boolean {
  const field = document.querySelector<HTMLInputElement>('[data-testid="stMain"] input[aria-label="Search"]');
  field?.focus();
  field?.select();
  return field !== null && field !== undefined;
}
