// Values that still wait, or were not saved, when the grid left the page: they are sent, said and kept until decided.

import { useState, useSyncExternalStore, type ReactElement } from "react";
import { createRoot, type Root } from "react-dom/client";
import { IssueList } from "./rejected-list";
import type { Context } from "./format";
import type { Session } from "./session";
import type { Column } from "./types";

interface Sheet {
  name: string;
  columns: Column[];
  context: Context;
}

interface Left {
  session: Session;
  root: Root;
  place: HTMLElement;
  stop: () => void;
}

const left = new Map<string, Left>();
const present = new Map<string, Session>();

/** A grid of this sheet comes: what another one left waiting is its own from here on, by the tab's store. */
export function arrive(key: string, begin: () => Session): Session {
  forget(key);
  const session = begin();
  present.set(key, session);
  return session;
}

/** The grid goes away: what is in its outbox stays in sight, or ends with it where nothing is. */
export function leave(session: Session, sheet: Sheet, portal: Element): void {
  session.leave();
  const isLast = present.get(session.key) === session && present.delete(session.key);
  if (session.outbox.empty || !isLast) {
    session.end();
    return;
  }
  const place = document.createElement("div");
  place.className = "cg-portal";
  // The theme's colours, as the grid's own overlays have them.
  place.style.cssText = (portal as HTMLElement).style.cssText;
  document.body.append(place);
  const root = createRoot(place);
  const stop = session.subscribe(() => session.outbox.empty && forget(session.key));
  left.set(session.key, { session, root, place, stop });
  root.render(<Leftovers session={session} sheet={sheet} />);
}

/** The sheet is opened again, or all is decided. */
function forget(key: string): void {
  const there = left.get(key);
  if (!there) return;
  left.delete(key);
  there.stop();
  there.session.end();
  // React may be drawing this very list now.
  queueMicrotask(() => {
    there.root.unmount();
    there.place.remove();
  });
}

function Leftovers({ session, sheet }: { session: Session; sheet: Sheet }): ReactElement {
  useSyncExternalStore(session.subscribe, session.snapshot);
  const count = session.outbox.attention().length;
  const [before] = useState(count);
  const [isOpen, setOpen] = useState<boolean | null>(null);
  // What was known before the grid went away is one click away; what became known after it is said at once.
  const isShown = count > 0 && (isOpen ?? count > before);
  return (
    <aside className="cg-left" data-testid="grid-left">
      {isShown && <div className="cg-panel"><IssueList session={session} columns={sheet.columns} context={sheet.context} jump={null} /></div>}
      <button className="cg-pill" aria-expanded={isShown} onClick={() => setOpen(!isShown)}>{told(session, sheet, count)}</button>
    </aside>
  );
}

function told({ outbox, sender }: Session, { name }: Sheet, count: number): string {
  if (count > 0) return `${count} ${count === 1 ? "value" : "values"} of “${name}” not saved`;
  const waiting = outbox.waiting();
  if (sender.connection === "signed out") return `Signed out · ${waiting} of “${name}” waiting`;
  if (sender.connection === "slowed") return `Saving slowly… ${waiting} of “${name}” waiting`;
  return sender.connection === "waiting" ? `Reconnecting… ${waiting} of “${name}” waiting` : `Saving ${waiting} of “${name}”…`;
}
