// The other users of the sheet, as discs in the status line; a click goes to their cell.

import type { ReactElement } from "react";
import { initials, type Other } from "../../sheet/src/presence";
import type { Scene } from "./scene";
import { authorTint, inkOn, type Palette } from "./theme";
import type { Column } from "../../sheet/src/types";

/** The number of discs; a phone has room for fewer. */
const MAX_DISCS = window.innerWidth < 640 ? 3 : 6;

interface PresentPeopleProps {
  scene: Scene;
  jump: (cell: { row: number; column: number }) => void;
}

export function PresentPeople({ scene, jump }: PresentPeopleProps): ReactElement | null {
  const { others } = scene.session.presence;
  if (others.length === 0) return null;
  const people = others.map((other) => ({ other, name: nameOf(scene, other.id) }));
  const rest = people.slice(MAX_DISCS);
  return (
    <span className="cg-here" role="group" aria-label="Also on this sheet" data-testid="grid-here">
      {people.slice(0, MAX_DISCS).map(({ other, name }) => (
        <Disc key={other.id} other={other} name={name} columns={scene.columns} palette={scene.palette} jump={jump} />
      ))}
      {rest.length > 0 && <span className="cg-disc cg-more" title={rest.map(({ name }) => name).join(", ")}>+{rest.length}</span>}
    </span>
  );
}

interface DiscProps extends Pick<PresentPeopleProps, "jump"> {
  other: Other;
  name: string;
  columns: Column[];
  palette: Palette;
}

function Disc({ other: { id, row, column }, name, columns, palette, jump }: DiscProps): ReactElement {
  const background = authorTint(id, palette).strong;
  const title = `${name} · ${locationOf(row, column, columns)}`;
  return (
    <button className="cg-disc" style={{ background, color: inkOn(background) }} title={title} aria-label={title}
      data-testid="grid-person" data-cell={row === null ? "" : `${row}:${column}`}
      onClick={() => row !== null && column !== null && jump({ row, column })}>
      {initials(name)}
    </button>
  );
}

function locationOf(row: number | null, column: number | null, columns: Column[]): string {
  if (row === null) return "on this sheet";
  const name = columns.find((candidate) => candidate.id === column)?.name;
  return name ? `row #${row}, ${name}` : `row #${row}`;
}

export function nameOf({ context }: Pick<Scene, "context">, id: string): string {
  const name = context.people[id];
  if (name === undefined) context.onMissingName?.();
  return name ?? "Somebody";
}
