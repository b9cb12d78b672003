// The line below the grid: how many rows, what is saved, what needs attention; and the banner when the session ended.

import type { ReactElement } from "react";
import { RejectedList, useEveryColumn, type ListOpen } from "../../sheet/src/rejected-list";
import { PresentPeople } from "./present-people";
import type { RejectedEdit } from "../../sheet/src/commands";
import type { Scene } from "./scene";
import { SelectionBar } from "./selection-bar";
import type { SheetView } from "../../sheet/src/view";
import type { Reader } from "../../sheet/src/reader";
import type { Column, Totals } from "../../sheet/src/types";
import { UndoButtons } from "./undo-buttons";

interface StatusProps {
  scene: Scene;
  hidden: Column[];
  /** The lines of the ticked rows. */
  lines: readonly number[];
  portal: Element;
  jump: (cell: Pick<RejectedEdit, "row" | "column">) => void;
  open: (() => void) | null;
  add: (() => void) | null;
  /** The filter hides the selected row. */
  isMarked: boolean;
  deleteSelected: (() => void) | null;
  showHidden: (x: number, y: number) => void;
  list: ListOpen;
}

export function Status({ scene, lines, portal, deleteSelected, hidden, open, add, isMarked, jump, showHidden, list }: StatusProps): ReactElement {
  const { context, notice } = scene;
  const { reader, totals } = scene.view;
  return (
    <div className="cg-status" data-testid="grid-status">
      {open && lines.length === 0 && <button className="cg-link" data-testid="grid-open" onClick={open}>Open row</button>}
      {add && <button className="cg-link" data-testid="grid-add" title="Add a row (Ctrl+Enter)" onClick={add}>+ Row</button>}
      {lines.length > 0 ? <SelectionBar scene={scene} portal={portal} lines={lines} remove={deleteSelected} /> : (
      <div className="cg-strip">
      {scene.data.can_edit && <UndoButtons scene={scene} jump={jump} />}
      <span className="cg-count" data-testid="grid-rows">{rowCount(reader, totals.current, context.formats.locale)}</span>
      {reader.fresh.size > 0 && (
        <button className="cg-link" data-testid="grid-fresh" onClick={() => void reader.refresh()}>{reader.fresh.size} new · show</button>
      )}
      {reader.stale && reader.fresh.size === 0 && (
        <button className="cg-link" data-testid="grid-stale" title="Rows stay where they are until you ask" onClick={() => void reader.refresh()}>↻ Refresh order</button>
      )}
      {hidden.length > 0 && (
        <button className="cg-link" data-testid="grid-hidden" onClick={(event) => showHidden(event.clientX, event.clientY)}>
          {hidden.length} hidden {hidden.length === 1 ? "column" : "columns"}
        </button>
      )}
      {isMarked && <span className="cg-notice" role="status" data-testid="grid-outside">This row is not in the filter. It leaves the view when you leave the row.</span>}
      {notice && <span className="cg-notice" role="status">{notice}</span>}
      </div>
      )}
      <PresentPeople scene={scene} jump={jump} />
      <Saving scene={scene} jump={jump} list={list} />
    </div>
  );
}

function Saving({ scene, jump, list }: Pick<StatusProps, "scene" | "jump" | "list">): ReactElement {
  const { view, context, data } = scene;
  const count = view.session.rejectedEdits.length;
  const columns = useEveryColumn(data.columns);
  const [isOpen, setOpen] = list;
  const { text, tone } = statusOf(view, count, !data.can_edit && !data.can_add);
  const goTo = (edit: RejectedEdit): void => {
    setOpen(false);
    jump(edit);
  };
  if (count === 0) return <Tone tone={tone} text={text} />;
  return (
    <span className="cg-attention" onKeyDown={(event) => event.key === "Escape" && setOpen(false)}>
      <button className={`cg-tone cg-${tone}`} aria-expanded={isOpen} data-testid="grid-saving" onClick={() => setOpen(!isOpen)}>{text}</button>
      {isOpen && <div className="cg-panel"><RejectedList view={view} columns={columns} context={context} jump={goTo} /></div>}
    </span>
  );
}

function Tone({ tone, text }: { tone: string; text: string }): ReactElement {
  return <span className={`cg-tone cg-${tone}`} data-testid="grid-saving" aria-live="polite">{text}</span>;
}

/** The status of the sheet, the most urgent one first. */
function statusOf({ session, problem }: SheetView, rejected: number, isReadOnly: boolean): { text: string; tone: string } {
  const waiting = session.pendingCount;
  if (session.sender.connection === "signed out") return { text: `Signed out · ${waiting} waiting`, tone: "bad" };
  if (session.sender.connection === "slowed") return { text: `Saving slowly… ${waiting} waiting`, tone: "warn" };
  if (session.sender.connection === "waiting" || (session.isLost && waiting > 0)) return { text: `Reconnecting… ${waiting} waiting`, tone: "warn" };
  if (rejected > 0) return { text: `Not saved: ${rejected} ${rejected === 1 ? "needs" : "need"} attention`, tone: "bad" };
  if (waiting > 0) return { text: `Saving ${waiting}…`, tone: "busy" };
  if (problem?.isRateLimited) return { text: "Reading slowly…", tone: "warn" };
  if (problem?.isTemporary || session.isLost) return { text: "Reconnecting…", tone: "warn" };
  return { text: isReadOnly ? "Read only" : "All changes saved", tone: "good" };
}

export function Banner({ view: { session, problem } }: { view: SheetView }): ReactElement | null {
  const ended = session.sender.connection === "signed out" || problem?.status === 401;
  if (!ended && (!problem || problem.isTemporary)) return null;
  return (
    <div className="cg-banner" role="alert" data-testid="grid-banner">
      {ended && session.link !== null ? (
        <span>This link doesn't work any more. Ask the sender for a new one.</span>
      ) : ended ? (
        <>
          <span>Your session has ended. What you typed is kept in this tab.</span>
          <a href={location.pathname}>Sign in</a>
          <button className="cg-link" onClick={session.retryNow}>I have signed in: try again</button>
        </>
      ) : (
        <span>{problem?.message}</span>
      )}
    </div>
  );
}

/** The number of rows, and of a filtered view beside that of the whole sheet: "15 of 602 rows". */
function rowCount({ total, isFiltered }: Reader, totals: Totals | null, locale: string): string {
  if (total === null) return "Counting…";
  const rows = (count: number): string => `${count.toLocaleString(locale)} ${count === 1 ? "row" : "rows"}`;
  return isFiltered && totals ? `${total.toLocaleString(locale)} of ${rows(totals.all_rows)}` : rows(total);
}

