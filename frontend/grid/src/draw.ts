// Draws a cell on the canvas: text, numbers, coloured choices, check boxes, and the marks of saving and refusal.

import { errorOf } from "../../sheet/src/format";
import {
  drawTextCell, getMiddleCenterBias, measureTextCached, roundedRect, type CustomCell, type CustomRenderer, type DrawArgs,
  GridCellKind,
} from "@glideapps/glide-data-grid";
import type { Cell, CellLook, Chip } from "./cells";
import { HIGHLIGHT_MS } from "../../sheet/src/rows";
import { fade, type Palette } from "./theme";
import { drawGroupCell } from "./group-cells";
import { drawCellUsers } from "./presence-marks";

/** The part at the right end of a cell that opens its row or its link. */
export const ACTION_WIDTH = 28;
const CHIP_HEIGHT = 20;

type Args = DrawArgs<Cell>;

export function cellRenderer(palette: Palette): CustomRenderer<Cell> {
  return {
    kind: GridCellKind.Custom,
    isMatch: (cell: CustomCell): cell is Cell => (cell.data as Partial<CellLook>).kind === "cell",
    needsHover: (cell) => cell.data.opens || cell.data.href !== null,
    draw: (args, cell) => draw(args, cell.data, palette),
    measure: (ctx, cell, theme) => cellWidth(ctx, cell.data, theme.cellHorizontalPadding, theme.baseFontFull),
  };
}

function draw(args: Args, look: CellLook, palette: Palette): void {
  const { ctx, theme } = args;
  drawHighlight(args, look);
  ctx.fillStyle = look.column.is_computed ? theme.textMedium : theme.textDark;
  if (look.group) drawGroupCell(args, look.group, palette);
  else if (look.line.kind === "loading") drawSkeleton(args, palette);
  else if (look.hint) drawHint(args, look.hint, palette);
  else if (look.checked !== null) drawCheck(args, look.checked, palette);
  else if (look.chips) drawChips(args, look.chips, look.removed, palette);
  else drawPlain(args, look, palette);
  if (look.removed && !look.chips) strike(args, look, palette.faint);
  drawMark(args, look.mark, palette);
  if (look.users) drawCellUsers(args, look.users, look.right);
  if (args.hoverAmount > 0 && (look.opens || look.href)) drawAction(args, palette);
}

function drawPlain(args: Args, look: CellLook, palette: Palette): void {
  const { ctx } = args;
  if (look.removed || look.mark === "held") ctx.fillStyle = palette.faint;
  else if (errorOf(look.value) !== null) ctx.fillStyle = palette.refused.text;
  else if (look.href) ctx.fillStyle = palette.link;
  drawTextCell(args, look.text, look.right ? "right" : undefined);
}

function drawHint({ ctx, rect, theme }: Args, hint: string, palette: Palette): void {
  ctx.fillStyle = palette.faint;
  ctx.fillText(`+  ${hint}`, rect.x + theme.cellHorizontalPadding, middle(ctx, rect, theme.baseFontFull));
}

function drawSkeleton({ ctx, rect, row, col }: Args, palette: Palette): void {
  const share = 0.35 + (((row * 7 + col * 13) % 10) / 10) * 0.45;
  ctx.fillStyle = fade(palette.text, 0.07);
  box(ctx, rect.x + 10, rect.y + rect.height / 2 - 5, (rect.width - 20) * share, 10, 5);
  ctx.fill();
}

function drawCheck({ ctx, rect, theme }: Args, checked: boolean, palette: Palette): void {
  const [x, y, size] = [rect.x + rect.width / 2 - 8, rect.y + rect.height / 2 - 8, 16];
  box(ctx, x + 0.5, y + 0.5, size - 1, size - 1, 4);
  ctx.fillStyle = checked ? palette.primary : "transparent";
  ctx.strokeStyle = checked ? palette.primary : fade(palette.text, 0.35);
  ctx.lineWidth = 1;
  ctx.fill();
  ctx.stroke();
  if (!checked) return;
  ctx.beginPath();
  ctx.moveTo(x + 4, y + 8.5);
  ctx.lineTo(x + 7, y + 11.5);
  ctx.lineTo(x + 12, y + 5);
  ctx.lineWidth = 2;
  ctx.strokeStyle = theme.accentFg;
  ctx.stroke();
}

function drawChips(args: Args, chips: Chip[], removed: boolean, palette: Palette): void {
  const { ctx, rect, theme } = args;
  const font = theme.baseFontFull;
  let x = rect.x + theme.cellHorizontalPadding - 2;
  for (const chip of chips) {
    const width = measureTextCached(chip.label, ctx, font).width + 16;
    const faded = chip.retired || removed;
    ctx.fillStyle = faded ? fade(palette.text, 0.07) : chip.tint.background;
    box(ctx, x, rect.y + rect.height / 2 - CHIP_HEIGHT / 2, width, CHIP_HEIGHT, CHIP_HEIGHT / 2);
    ctx.fill();
    ctx.fillStyle = faded ? palette.faint : chip.tint.text;
    ctx.fillText(chip.label, x + 8, middle(ctx, rect, font));
    if (faded) line(ctx, x + 8, x + width - 8, rect.y + rect.height / 2, palette.faint);
    x += width + 4;
    if (x > rect.x + rect.width) break;
  }
}

/** Saving is a quiet dot in the corner, a refused or contested cell a corner of its colour. */
function drawMark({ ctx, rect }: Args, mark: CellLook["mark"], palette: Palette): void {
  if (mark === null) return;
  const right = rect.x + rect.width;
  ctx.beginPath();
  if (mark === "saving" || mark === "held") {
    ctx.fillStyle = mark === "saving" ? palette.saving : palette.conflict.strong;
    ctx.arc(right - 7, rect.y + 7, 3, 0, Math.PI * 2);
  } else {
    ctx.fillStyle = (mark === "conflict" ? palette.conflict : palette.refused).strong;
    ctx.moveTo(right - 9, rect.y);
    ctx.lineTo(right, rect.y);
    ctx.lineTo(right, rect.y + 9);
    ctx.closePath();
  }
  ctx.fill();
}

function drawHighlight(args: Args, { highlight }: CellLook): void {
  const age = highlight ? performance.now() - highlight.since : HIGHLIGHT_MS;
  if (!highlight || age >= HIGHLIGHT_MS) return;
  const { ctx, rect } = args;
  ctx.fillStyle = fade(highlight.color, 0.3 * (1 - age / HIGHLIGHT_MS));
  ctx.fillRect(rect.x + 1, rect.y + 1, rect.width - 1, rect.height - 1);
}

function drawAction({ ctx, rect, hoverAmount, cellFillColor }: Args, palette: Palette): void {
  const x = rect.x + rect.width - ACTION_WIDTH;
  const y = rect.y + rect.height / 2;
  ctx.globalAlpha = hoverAmount;
  ctx.fillStyle = cellFillColor;
  ctx.fillRect(x, rect.y + 2, ACTION_WIDTH - 1, rect.height - 4);
  ctx.strokeStyle = palette.faint;
  ctx.lineWidth = 1.5;
  ctx.beginPath();
  ctx.moveTo(x + 9, y + 5);
  ctx.lineTo(x + 19, y - 5);
  ctx.moveTo(x + 12, y - 5);
  ctx.lineTo(x + 19, y - 5);
  ctx.lineTo(x + 19, y + 2);
  ctx.stroke();
  ctx.globalAlpha = 1;
}

function strike({ ctx, rect, theme }: Args, { text, right }: CellLook, color: string): void {
  const room = rect.width - theme.cellHorizontalPadding * 2;
  const width = Math.min(measureTextCached(text, ctx, theme.baseFontFull).width, room);
  const from = right ? rect.x + rect.width - theme.cellHorizontalPadding - width : rect.x + theme.cellHorizontalPadding;
  if (text) line(ctx, from, from + width, rect.y + rect.height / 2, color);
}

function line(ctx: CanvasRenderingContext2D, from: number, to: number, y: number, color: string): void {
  ctx.beginPath();
  ctx.moveTo(from, Math.round(y) + 0.5);
  ctx.lineTo(to, Math.round(y) + 0.5);
  ctx.strokeStyle = color;
  ctx.lineWidth = 1;
  ctx.stroke();
}

function box(ctx: CanvasRenderingContext2D, x: number, y: number, width: number, height: number, radius: number): void {
  ctx.beginPath();
  roundedRect(ctx, x, y, width, height, radius);
}

function middle(ctx: CanvasRenderingContext2D, rect: Args["rect"], font: string): number {
  return rect.y + rect.height / 2 + getMiddleCenterBias(ctx, font);
}

function cellWidth(ctx: CanvasRenderingContext2D, look: CellLook, padding: number, font: string): number {
  const labels = look.chips?.map((chip) => chip.label) ?? [look.text];
  const extra = look.chips ? 20 : 0;
  return labels.reduce((sum, text) => sum + measureTextCached(text, ctx, font).width + extra, padding * 2 + 8);
}
