// A menu over the page: of a header, of a cell, of a total.

import { useEffect, useRef, type ReactElement } from "react";
import { createPortal } from "react-dom";

export interface MenuEntry {
  label: string;
  act: () => void;
  isOn?: boolean;
  isApart?: boolean;
}

export interface MenuPosition {
  x: number;
  y: number;
}

interface MenuProps {
  entries: MenuEntry[];
  position: MenuPosition;
  portal: Element;
  close: () => void;
  label: string;
}

/** A menu that takes the focus while it is open and returns it when it closes. */
export function Menu({ entries, position: place, portal, close, label }: MenuProps): ReactElement {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    box.current?.querySelector("button")?.focus({ preventScroll: true });
    const leave = (event: PointerEvent): void => {
      if (!box.current?.contains(event.target as Node)) close();
    };
    window.addEventListener("pointerdown", leave, true);
    return () => {
      window.removeEventListener("pointerdown", leave, true);
      before?.focus({ preventScroll: true });
    };
  }, [close]);
  const step = (by: number): void => {
    const buttons = [...(box.current?.querySelectorAll("button") ?? [])];
    const now = buttons.indexOf(document.activeElement as HTMLButtonElement);
    buttons[(now + by + buttons.length) % buttons.length]?.focus();
  };
  return createPortal(
    <div ref={box} className="cg-menu" role="menu" aria-label={label} data-testid="grid-menu" style={inside(place, entries.length)}
      onKeyDown={(event) => {
        if (event.key === "Escape" || event.key === "Tab") close();
        else if (event.key === "ArrowDown") step(1);
        else if (event.key === "ArrowUp") step(-1);
        else return;
        event.preventDefault();
        event.stopPropagation();
      }}>
      {entries.map((entry) => (
        <button key={entry.label} role="menuitem" className={entry.isApart ? "cg-apart" : ""}
          onClick={() => { close(); entry.act(); }}>
          <span>{entry.label}</span>
          {entry.isOn && <span aria-hidden>✓</span>}
        </button>
      ))}
    </div>,
    portal,
  );
}

function inside({ x, y }: MenuPosition, count: number): { left: number; top: number } {
  const height = Math.min(count * 30 + 14, window.innerHeight * 0.8);
  return { left: Math.max(4, Math.min(x, window.innerWidth - 228)), top: Math.max(4, Math.min(y, window.innerHeight - height)) };
}
