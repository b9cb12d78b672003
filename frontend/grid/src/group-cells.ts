// The cells of a group's header: in the first column its value and number of rows, in the others the totals of the footer.

import { getMiddleCenterBias, measureTextCached, type DrawArgs } from "@glideapps/glide-data-grid";
import type { Cell } from "./cells";
import type { Scene } from "./scene";
import { displayTotal } from "./shown-totals";
import type { Palette } from "./theme";
import { displayText } from "../../sheet/src/format";
import type { GroupHeader } from "../../sheet/src/grouping";
import { functionOf, SHORT_NAMES } from "../../sheet/src/totals";
import type { Column } from "../../sheet/src/types";

export interface GroupCell {
  /** In the first column: the value of the group and its number of rows. */
  title: { label: string; count: string; depth: number; isFolded: boolean } | null;
  text: string;
}

const INDENT = 14;
const BOLD = 600;

export function groupCell({ view, layout, data, context }: Scene, group: GroupHeader, column: Column, isFirst: boolean): GroupCell {
  const live = view.totals.group(group.key);
  const by = data.columns.find(({ id }) => id === layout.groups[group.depth]?.column);
  const value = group.values.at(-1) ?? null;
  const label = (by && displayText(value, by, context)) || (value === null ? "(empty)" : String(value));
  const name = functionOf(column, layout.totals);
  const total = name === null ? undefined : live?.totals[`${column.id}:${name}`];
  const shown = name === null || total === undefined || total === null ? "" : displayTotal(total, column, name, context);
  const text = shown && name !== "sum" && name !== null ? `${SHORT_NAMES[name]} ${shown}` : shown;
  const count = (live?.rows ?? group.rows).toLocaleString(context.formats.locale);
  return { title: isFirst ? { label, count, depth: group.depth, isFolded: group.isFolded } : null, text };
}

/** A group as a screen reader reads it. */
export function groupText({ title, text }: GroupCell): string {
  return title ? `${title.label}, ${title.count} ${title.count === "1" ? "row" : "rows"}, ${title.isFolded ? "folded" : "open"}` : text;
}

export function drawGroupCell({ ctx, rect, theme }: DrawArgs<Cell>, { title, text }: GroupCell, palette: Palette): void {
  const font = theme.baseFontFull;
  const y = rect.y + rect.height / 2 + getMiddleCenterBias(ctx, font);
  ctx.save();
  if (title) {
    const x = rect.x + theme.cellHorizontalPadding + title.depth * INDENT;
    drawArrow(ctx, x + 4, rect.y + rect.height / 2, title.isFolded, palette.faint);
    ctx.font = `${BOLD} ${font}`;
    ctx.fillStyle = theme.textDark;
    ctx.fillText(title.label, x + INDENT, y);
    const width = measureTextCached(title.label, ctx, ctx.font).width;
    ctx.font = font;
    ctx.fillStyle = palette.faint;
    ctx.fillText(title.count, x + INDENT + width + 8, y);
  } else if (text) {
    ctx.textAlign = "right";
    ctx.fillStyle = theme.textDark;
    ctx.fillText(text, rect.x + rect.width - theme.cellHorizontalPadding, y);
  }
  ctx.restore();
}

function drawArrow(ctx: CanvasRenderingContext2D, x: number, y: number, isFolded: boolean, color: string): void {
  ctx.strokeStyle = color;
  ctx.lineWidth = 1.6;
  ctx.beginPath();
  const points = isFolded ? [[-2, -4], [2, 0], [-2, 4]] : [[-4, -2], [0, 2], [4, -2]];
  for (const [dx = 0, dy = 0] of points) ctx.lineTo(x + dx, y + dy);
  ctx.stroke();
}
