// The row of totals below the rows: under each column its sum, average or another function, or that of the selection.

import { useLayoutEffect, useState, type ReactElement } from "react";
import type { MenuEntry, MenuPosition } from "./menus";
import { frozenCount } from "./columns";
import { MARKER_WIDTH } from "./density";
import type { Scene } from "./scene";
import { selectedTotal, useSelectedCells, type SelectedCells } from "./selected-cells";
import { displayTotal } from "./shown-totals";
import { functionOf, functionsOf, FUNCTION_NAMES, SHORT_NAMES } from "../../sheet/src/totals";
import type { Column, TotalFunction } from "../../sheet/src/types";

interface TotalsRowProps {
  scene: Scene;
  /** Changes when the grid scrolls. */
  tick: number;
  openMenu: (entries: MenuEntry[], position: MenuPosition, label: string) => void;
}

interface Slot {
  left: number;
  width: number;
}

export function TotalsRow({ scene, tick, openMenu }: TotalsRowProps): ReactElement {
  const { columns, layout, selection } = scene;
  const { frozen, slots } = useSlots(scene, tick);
  const cells = useSelectedCells(scene);
  const selected = selection.current?.range;
  const cell = (column: Column, index: number): ReactElement | null => {
    const slot = slots[index];
    const isSelected = cells !== null && selected !== undefined && index >= selected.x && index < selected.x + selected.width;
    return slot ? <TotalCell key={column.id} scene={scene} column={column} slot={slot} openMenu={openMenu} cells={isSelected ? cells : null} /> : null;
  };
  const count = frozenCount(layout, columns);
  return (
    <div className="cg-totals" role="group" aria-label="Totals" data-testid="grid-totals">
      {columns.slice(0, count).map(cell)}
      <div className="cg-scrolled" style={{ left: frozen }}>
        {columns.slice(count).map((column, index) => cell(column, index + count))}
      </div>
    </div>
  );
}

interface Slots {
  frozen: number;
  slots: (Slot | null)[];
}

/** Where the columns stand, read from the grid after it has drawn them: from the left of the row, or of its scrolled part. */
function useSlots({ grid, box, columns, layout }: Scene, tick: number): Slots {
  const [state, setState] = useState<Slots>({ frozen: 0, slots: [] });
  useLayoutEffect(() => {
    const measure = (): void => {
      const left = box.current?.getBoundingClientRect().left ?? 0;
      const bounds = columns.map((_, index) => grid.current?.getBounds(index));
      const count = frozenCount(layout, columns);
      const last = bounds[count - 1];
      const frozen = last ? last.x + last.width - left : MARKER_WIDTH;
      const slots = bounds.map((bound, index) => (bound ? { left: bound.x - left - (index < count ? 0 : frozen), width: bound.width } : null));
      setState((now) => (JSON.stringify(now) === JSON.stringify({ frozen, slots }) ? now : { frozen, slots }));
    };
    const frame = requestAnimationFrame(measure);
    return () => cancelAnimationFrame(frame);
  }, [grid, box, columns, layout, tick]);
  return state;
}

interface TotalCellProps extends Pick<TotalsRowProps, "scene" | "openMenu"> {
  column: Column;
  slot: Slot;
  cells: SelectedCells | null;
}

function TotalCell({ scene, column, slot, cells, openMenu }: TotalCellProps): ReactElement {
  const { layout, view, context, changeLayout } = scene;
  const name = functionOf(column, layout.totals);
  const value = name === null ? undefined : cells ? selectedTotal(cells, column, name) : view.totals.value(column.id, name);
  const text = name === null || value === undefined ? "" : displayTotal(value, column, name, context);
  const choose = (chosen: TotalFunction | null): void => changeLayout({ totals: { ...layout.totals, [column.id]: chosen } });
  const entries = (): MenuEntry[] => [
    ...functionsOf(column).map((each) => ({ label: FUNCTION_NAMES[each], isOn: each === name, act: () => choose(each) })),
    { label: "Nothing", isOn: name === null, isApart: true, act: () => choose(null) },
  ];
  const label = name === null ? `Add a total of ${column.name}` : `${FUNCTION_NAMES[name]} of ${column.name}${cells ? ", selected cells" : ""}: ${text || "none"}`;
  return (
    <button className={`cg-total${cells ? " cg-selected" : ""}${name === null ? " cg-empty" : ""}`} style={slot} title={label} aria-label={label}
      data-testid={`grid-total-${column.id}`}
      onClick={({ currentTarget }) => {
        const { left, top } = currentTarget.getBoundingClientRect();
        openMenu(entries(), { x: left, y: top - (entries().length * 30 + 14) }, `Total of ${column.name}`);
      }}>
      {name === null ? <span className="cg-what">Σ</span> : <><span className="cg-what">{SHORT_NAMES[name]}</span><span className="cg-sum">{text}</span></>}
    </button>
  );
}
