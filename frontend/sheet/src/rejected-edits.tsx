// The panel of unsaved edits in a corner of the page, from when the last view of a sheet closes until all are decided.

import { useState, useSyncExternalStore, type ReactElement } from "react";
import { createRoot } from "react-dom/client";
import type { Context } from "./format";
import { RejectedList } from "./rejected-list";
import type { SheetSession } from "./session";
import type { Column } from "./types";
import type { SheetView } from "./view";

interface Sheet {
  name: string;
  columns: Column[];
  context: Context;
}

/** Close a view. If it was the last one and edits are unsaved, the panel shows them, in the theme of `portal`. */
export function closeView(view: SheetView, sheet: Sheet, portal: HTMLElement): void {
  const { session } = view;
  view.close();
  const isNeeded = (): boolean => session.views.size === 0 && !session.outbox.empty;
  if (!isNeeded()) return;
  const container = document.createElement("div");
  container.className = "cg-portal";
  container.style.cssText = portal.style.cssText;
  document.body.append(container);
  const root = createRoot(container);
  const unsubscribe = session.subscribe(() => {
    if (isNeeded()) return;
    unsubscribe();
    // React may be rendering this panel now.
    queueMicrotask(() => {
      root.unmount();
      container.remove();
    });
  });
  root.render(<RejectedEdits view={view} sheet={sheet} />);
}

function RejectedEdits({ view, sheet }: { view: SheetView; sheet: Sheet }): ReactElement {
  const { session } = view;
  useSyncExternalStore(session.subscribe, session.snapshot);
  const count = session.rejectedEdits.length;
  const [countAtFirst] = useState(count);
  const [isOpen, setOpen] = useState<boolean | null>(null);
  // Edits that were rejected before the view closed are one click away; later ones open the panel.
  const isShown = count > 0 && (isOpen ?? count > countAtFirst);
  return (
    <aside className="cg-left" data-testid="grid-left">
      {isShown && <div className="cg-panel"><RejectedList view={view} columns={sheet.columns} context={sheet.context} jump={null} /></div>}
      <button className="cg-pill" aria-expanded={isShown} onClick={() => setOpen(!isShown)}>{statusText(session, sheet.name, count)}</button>
    </aside>
  );
}

function statusText({ pendingCount, sender }: SheetSession, name: string, rejected: number): string {
  if (rejected > 0) return `${rejected} ${rejected === 1 ? "value" : "values"} of “${name}” not saved`;
  if (sender.connection === "signed out") return `Signed out · ${pendingCount} of “${name}” waiting`;
  if (sender.connection === "slowed") return `Saving slowly… ${pendingCount} of “${name}” waiting`;
  return sender.connection === "waiting" ? `Reconnecting… ${pendingCount} of “${name}” waiting` : `Saving ${pendingCount} of “${name}”…`;
}
