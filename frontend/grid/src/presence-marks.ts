// Marks the cells that other users have selected: an outline in their colour, and their initials.

import { measureTextCached, roundedRect, type DrawArgs } from "@glideapps/glide-data-grid";
import type { Cell } from "./cells";
import { nameOf } from "./present-people";
import { initials } from "../../sheet/src/presence";
import type { Scene } from "./scene";
import { authorTint, inkOn } from "./theme";
import type { RowRef } from "../../sheet/src/types";

export interface CellUsers {
  color: string;
  label: string;
}

const TAG_HEIGHT = 13;

/** The mark of the other users in a cell; undefined without any. */
export function cellUsers(scene: Scene, ref: RowRef | null, column: number): CellUsers | undefined {
  const users = typeof ref === "number" ? scene.session.presence.at(ref, column) : [];
  const [first, ...others] = users;
  if (first === undefined) return undefined;
  const label = initials(nameOf(scene, first)) + (others.length > 0 ? ` +${others.length}` : "");
  return { color: authorTint(first, scene.palette).strong, label };
}

/** Draw the initials opposite to the text: left of a number, right of anything else. */
export function drawCellUsers({ ctx, rect, theme }: DrawArgs<Cell>, { color, label }: CellUsers, isRight: boolean): void {
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = color;
  ctx.lineWidth = 2;
  ctx.strokeRect(rect.x + 2, rect.y + 2, rect.width - 3, rect.height - 3);
  ctx.font = `600 9px ${theme.fontFamily}`;
  const width = measureTextCached(label, ctx, ctx.font).width + 8;
  const left = isRight ? rect.x + 1 : rect.x + rect.width - width - 1;
  ctx.beginPath();
  roundedRect(ctx, left, rect.y + 1, width, TAG_HEIGHT, { tl: 0, tr: 0, br: isRight ? 4 : 0, bl: isRight ? 0 : 4 });
  ctx.fill();
  ctx.fillStyle = inkOn(color);
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.fillText(label, left + width / 2, rect.y + 1 + TAG_HEIGHT / 2 + 0.5);
  ctx.restore();
}
