// The card of a colour rule: a condition on a column, a colour, and whether the cell or the whole row has it.

import { useState, type ReactElement } from "react";
import { ConditionCard } from "./condition-card";
import type { MenuPosition } from "./menus";
import type { Palette } from "./theme";
import type { Context } from "../../sheet/src/format";
import type { ColorRule, Column } from "../../sheet/src/types";

export const RULE_COLORS = ["red", "orange", "yellow", "green", "blue", "violet", "gray"] as const;

interface ColorCardProps {
  column: Column;
  context: Context;
  colors: ColorRule[];
  palette: Palette;
  position: MenuPosition;
  portal: Element;
  close: () => void;
  change: (colors: ColorRule[]) => void;
}

export function ColorCard({ colors, palette, change, ...card }: ColorCardProps): ReactElement {
  const [color, setColor] = useState<string>("yellow");
  const [isRow, setRow] = useState(true);
  const { column, close } = card;
  const own = colors.filter((rule) => rule.on === column.id);
  return (
    <ConditionCard {...card} label={`Colour by ${column.name}`} action="Add colour"
      act={(condition) => change([...colors, { filter: [condition], color, on: column.id, column: isRow ? null : column.id }])}>
      <fieldset className="cg-swatches">
        <legend>Colour</legend>
        {RULE_COLORS.map((name) => (
          <label key={name} title={name}>
            <input type="radio" name="color" aria-label={name} checked={name === color} onChange={() => setColor(name)} />
            <span style={{ background: palette.tints[name]?.background, borderColor: palette.tints[name]?.strong }} />
          </label>
        ))}
      </fieldset>
      <label className="cg-check"><input type="checkbox" checked={isRow} onChange={() => setRow(!isRow)} />Colour the whole row</label>
      {own.length > 0 && (
        <button type="button" className="cg-link" onClick={() => { change(colors.filter((rule) => rule.on !== column.id)); close(); }}>
          Remove {own.length === 1 ? "the colour" : `${own.length} colours`} of this column
        </button>
      )}
    </ConditionCard>
  );
}
