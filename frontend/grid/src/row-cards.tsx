// The rows on a phone: a card for each, which opens the row. Only the cards on the screen exist.

import { useEffect, useRef, useState, type ReactElement } from "react";
import { look, type CellLook } from "./cells";
import { groupCell } from "./group-cells";
import { isOutside, ruleColor } from "./row-matches";
import type { Scene } from "./scene";
import type { Viewport } from "./viewport";
import type { Line } from "../../sheet/src/lines";
import type { Column, RowRef } from "../../sheet/src/types";

const CARD_HEIGHT = 76;
/** Browsers show no element that is higher than some thirty million pixels. */
const MAX_CARDS = 400_000;
const SPARE = 4;
/** The cells that a card shows below its title. */
const SHOWN = 5;

interface RowCardsProps {
  scene: Scene;
  viewport: Viewport;
  open: (row: RowRef) => void;
}

export function RowCards({ scene, viewport, open }: RowCardsProps): ReactElement {
  const box = useRef<HTMLDivElement>(null);
  const { lines } = scene.view.reader;
  const [first, setFirst] = useState(0);
  const [room, setRoom] = useState(10);
  const { onVisible } = viewport;
  useEffect(() => {
    const measure = (): void => {
      const { scrollTop = 0, clientHeight = 600 } = box.current ?? {};
      const top = Math.floor(scrollTop / CARD_HEIGHT);
      const height = Math.ceil(clientHeight / CARD_HEIGHT);
      setFirst(top);
      setRoom(height);
      onVisible({ x: 0, y: top, width: scene.columns.length, height });
    };
    measure();
    const element = box.current;
    element?.addEventListener("scroll", measure, { passive: true });
    const observer = new ResizeObserver(measure);
    if (element) observer.observe(element);
    return () => {
      element?.removeEventListener("scroll", measure);
      observer.disconnect();
    };
  }, [onVisible, scene.columns.length]);
  const count = Math.min(lines.count, MAX_CARDS);
  const start = Math.max(0, first - SPARE);
  const shown = Array.from({ length: Math.max(0, Math.min(count, first + room + SPARE) - start) }, (_, index) => start + index);
  return (
    <div ref={box} className="cg-cards" data-testid="grid-cards">
      <div role="list" style={{ height: count * CARD_HEIGHT, position: "relative" }}>
        {shown.map((y) => (
          <div key={y} role="listitem" className="cg-card-slot" style={{ top: y * CARD_HEIGHT, height: CARD_HEIGHT }}>
            <LineCard scene={scene} line={lines.at(y)} open={open} />
          </div>
        ))}
      </div>
      {lines.count > count && <p className="cg-faint">Search or filter to see the other {(lines.count - count).toLocaleString()} rows.</p>}
    </div>
  );
}

function LineCard({ scene, line, open }: { scene: Scene; line: Line; open: (row: RowRef) => void }): ReactElement {
  if (line.kind === "group") return <GroupLine scene={scene} line={line} />;
  if (line.kind === "loading" || line.kind === "new") return <div className="cg-row-card cg-loading" aria-hidden />;
  const ref = line.kind === "row" ? line.id : line.key;
  const [title, ...others] = scene.columns.map((column) => cellLook(scene, line, ref, column));
  const filled = others.filter((cell) => cell.text !== "" || cell.checked !== null).slice(0, SHOWN);
  const color = scene.columns.map(({ id }) => ruleColor(scene, ref, id)).find((name) => name !== null);
  const isRefused = [title, ...filled].some((cell) => cell?.mark === "refused" || cell?.mark === "conflict" || cell?.mark === "gone");
  const classes = ["cg-row-card", title?.removed ? "cg-removed" : "", isRefused ? "cg-attention-card" : "", isOutside(scene, ref) ? "cg-outside" : ""];
  return (
    <button className={classes.filter(Boolean).join(" ")} data-testid={`grid-card-${ref}`} onClick={() => open(ref)}
      style={color ? { background: scene.palette.tints[color]?.background } : undefined}>
      <span className="cg-title">{title?.text || "(no name)"}</span>
      <span className="cg-facts">{filled.map((cell) => <Fact key={cell.column.id} cell={cell} />)}</span>
    </button>
  );
}

function GroupLine({ scene, line }: { scene: Scene; line: Extract<Line, { kind: "group" }> }): ReactElement {
  const { group } = line;
  const { title } = groupCell(scene, group, scene.columns[0] ?? scene.data.columns[0] as Column, true);
  return (
    <button className="cg-row-card cg-group" aria-expanded={!group.isFolded} style={{ paddingLeft: 12 + group.depth * 14 }}
      onClick={() => scene.view.fold([group.key], !group.isFolded)}>
      <span className="cg-title">{group.isFolded ? "▸" : "▾"} {title?.label} <span className="cg-faint">{title?.count}</span></span>
    </button>
  );
}

/** A cell of a row, as the canvas would draw it. */
export function cellLook(scene: Scene, line: Line, ref: RowRef, column: Column): CellLook {
  const { context, palette, data, view, session } = scene;
  const stored = typeof ref === "number" ? view.reader.rows.get(ref) : undefined;
  return look(line, column, false, { context, palette, canEdit: data.can_edit, canAdd: data.can_add }, stored, session.outbox.cell(ref, column.id)).data;
}

/** A cell below a card's title. */
export function Fact({ cell }: { cell: CellLook }): ReactElement {
  if (cell.chips) {
    return <>{cell.chips.map(({ label, tint }) => <span key={label} className="cg-chip" style={{ background: tint.background, color: tint.text }}>{label}</span>)}</>;
  }
  if (cell.checked !== null) return <span aria-label={cell.checked ? "ticked" : "not ticked"}>{cell.checked ? "☑" : "☐"}</span>;
  return <span>{cell.text}</span>;
}
