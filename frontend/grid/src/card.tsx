// A small card over the page: it takes the focus, stays inside the window, and closes with Escape or a press elsewhere.

import { useEffect, useLayoutEffect, useRef, useState, type FormEvent, type ReactElement, type ReactNode } from "react";
import { createPortal } from "react-dom";
import type { MenuPosition } from "./menus";

interface CardProps {
  label: string;
  position: MenuPosition;
  portal: Element;
  close: () => void;
  /** The label of the button that acts. */
  action: string;
  /** Act; the card closes, or shows the error text that is returned. */
  act: () => Promise<string | null> | string | null;
  children: ReactNode;
}

export function Card({ label, position, portal, close, action, act, children }: CardProps): ReactElement {
  const box = useRef<HTMLFormElement>(null);
  const [error, setError] = useState("");
  const [isBusy, setBusy] = useState(false);
  useFocus(box, close);
  const place = useInside(box, position);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (isBusy) return;
    setBusy(true);
    const text = await act();
    setBusy(false);
    if (text === null) close();
    else setError(text);
  };
  return createPortal(
    <form ref={box} className="cg-form" role="dialog" aria-label={label} data-testid="grid-card" style={place} onSubmit={(event) => void submit(event)}
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.key === "Escape") close();
      }}>
      {children}
      {error && <p className="cg-error" role="alert">{error}</p>}
      <div className="cg-buttons">
        <button type="submit" className="cg-main" aria-busy={isBusy}>{action}</button>
        <button type="button" onClick={close}>Cancel</button>
      </div>
    </form>,
    portal,
  );
}

function useFocus(box: React.RefObject<HTMLElement>, close: () => void): void {
  const closing = useRef(close);
  closing.current = close;
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    box.current?.querySelector<HTMLElement>("input, select, textarea")?.focus({ preventScroll: true });
    const leave = (event: PointerEvent): void => {
      if (!box.current?.contains(event.target as Node)) closing.current();
    };
    window.addEventListener("pointerdown", leave, true);
    return () => {
      window.removeEventListener("pointerdown", leave, true);
      before?.focus({ preventScroll: true });
    };
  }, [box]);
}

const MARGIN = 8;

/** The position, moved so that the whole card is on the screen. */
function useInside(box: React.RefObject<HTMLElement>, { x, y }: MenuPosition): { left: number; top: number } {
  const [place, setPlace] = useState({ left: x, top: y });
  useLayoutEffect(() => {
    const measure = (): void => {
      const { width = 0, height = 0 } = box.current?.getBoundingClientRect() ?? {};
      const left = Math.max(MARGIN, Math.min(x, window.innerWidth - width - MARGIN));
      const top = Math.max(MARGIN, Math.min(y, window.innerHeight - height - MARGIN));
      setPlace((now) => (now.left === left && now.top === top ? now : { left, top }));
    };
    measure();
    const observer = new ResizeObserver(measure);
    if (box.current) observer.observe(box.current);
    return () => observer.disconnect();
  }, [box, x, y]);
  return place;
}
