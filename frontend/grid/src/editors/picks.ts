// The entries of the lists of choices and people, and those that a typed text matches.

import { fold } from "../fold";
import type { Context } from "../../../sheet/src/format";
import type { Column } from "../../../sheet/src/types";

export interface Pick {
  id: string;
  label: string;
  /** The colour of an option; people have one by their id. */
  color?: string | null;
  /** Other texts that mean this entry. */
  also: string[];
}

/** Every entry of a column's list. People who share a name have their id beside it. */
export function everyPick(column: Column, { people, me }: Context): Pick[] {
  if (column.ids_of !== "people") {
    const live = column.options.filter((option) => !option.retired);
    return live.map(({ id, label, color }) => ({ id, label, color: color ?? null, also: [] }));
  }
  const names = new Map<string, number>();
  for (const name of Object.values(people)) names.set(fold(name), (names.get(fold(name)) ?? 0) + 1);
  return Object.entries(people).map(([id, name]) => {
    const label = (names.get(fold(name)) ?? 0) > 1 ? `${name} (${id})` : name;
    return { id, label, also: [name, ...(id === me ? ["me"] : [])] };
  });
}

/** Whether a typed text must be sent as it is, because names that it may mean are not read yet. */
export function isPending(column: Column, { peoplePending }: Context): boolean {
  return column.ids_of === "people" && peoplePending === true;
}

/** The entries that contain the typed text: first equal ones, then those that start with it, then the others. */
export function matching(picks: Pick[], search: string): Pick[] {
  const query = fold(search);
  if (!query) return picks;
  const rank = (pick: Pick): number => {
    if (isNamed(pick, query)) return 0;
    const label = fold(pick.label);
    if (label.startsWith(query)) return 1;
    return label.includes(query) ? 2 : 3;
  };
  return picks.map((pick) => ({ pick, rank: rank(pick) })).filter((ranked) => ranked.rank < 3)
    .sort((a, b) => a.rank - b.rank).map((ranked) => ranked.pick);
}

/** Whether the typed text is the name of several entries. */
export function isAmbiguous(picks: Pick[], search: string): boolean {
  return picks.filter((pick) => isNamed(pick, fold(search))).length > 1;
}

const isNamed = (pick: Pick, query: string): boolean => [pick.label, ...pick.also].some((text) => fold(text) === query);
