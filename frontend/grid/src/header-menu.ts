// The entries of a header's menu.

import type { MenuEntry } from "./menus";
import type { Column, Layout, Sort } from "../../sheet/src/types";

export interface HeaderActs {
  edit: () => void;
  filter: () => void;
  color: () => void;
  sort: (sort: Sort[]) => void;
  arrange: (change: Partial<Layout>) => void;
  settings: () => void;
  addColumn: () => void;
}

export interface HeaderFacts {
  column: Column;
  /** The position of the column among the visible ones. */
  index: number;
  sort: Sort[];
  layout: Layout;
  canConfigure: boolean;
  /** The filter, the sort and the colours of the view can be changed here. */
  canView: boolean;
}

const MAX_GROUPS = 2;

export function headerEntries(facts: HeaderFacts, acts: HeaderActs): MenuEntry[] {
  const { column, index, layout, canConfigure } = facts;
  const entries: MenuEntry[] = [];
  if (canConfigure) entries.push({ label: "Rename, describe…", act: acts.edit });
  entries.push(...sortEntries(facts, acts), ...groupEntries(facts, acts));
  if (index > 0) entries.push({ label: "Hide column", isApart: true, act: () => acts.arrange({ hidden: [...layout.hidden, column.id] }) });
  const isFrozen = layout.frozen === index + 1;
  entries.push({ label: "Freeze up to here", isOn: isFrozen, isApart: index === 0, act: () => acts.arrange({ frozen: isFrozen ? 0 : index + 1 }) });
  if (canConfigure) {
    entries.push({ label: "Column settings…", isApart: true, act: acts.settings });
    entries.push({ label: "Add a column…", act: acts.addColumn });
  }
  return entries;
}

function sortEntries({ column, sort, canView, canConfigure }: HeaderFacts, { filter, color, sort: set }: HeaderActs): MenuEntry[] {
  const entries: MenuEntry[] = [];
  if (canView && column.filters?.length) {
    entries.push({ label: "Filter by this column…", isApart: canConfigure, act: filter }, { label: "Colour by a condition…", act: color });
  }
  const sorting = sort.find((candidate) => candidate.column === column.id);
  const others = sort.filter((candidate) => candidate !== sorting);
  const isOnly = others.length === 0;
  const by = (descending: boolean): Sort => ({ column: column.id, descending });
  for (const descending of [false, true]) {
    const label = `Sort ${descending ? "descending" : "ascending"}`;
    entries.push({ label, isOn: isOnly && sorting?.descending === descending, isApart: !descending, act: () => set([by(descending)]) });
  }
  if (!isOnly) {
    for (const descending of [false, true]) {
      const label = `Then sort ${descending ? "descending" : "ascending"}`;
      entries.push({ label, isOn: sorting?.descending === descending, act: () => set([...others, by(descending)]) });
    }
  }
  if (sorting) entries.push({ label: "No sorting", act: () => set(others) });
  return entries;
}

function groupEntries({ column, layout: { groups } }: HeaderFacts, { arrange }: HeaderActs): MenuEntry[] {
  if (!isGroupable(column)) return [];
  const others = groups.filter((group) => group.column !== column.id);
  const grouped = groups.find((group) => group.column === column.id);
  if (grouped) {
    const turned = groups.map((group) => (group === grouped ? { ...group, descending: !group.descending } : group));
    return [
      { label: "Reverse the groups", isApart: true, act: () => arrange({ groups: turned }) },
      { label: "Don't group by this column", act: () => arrange({ groups: others }) },
    ];
  }
  const group: Sort = { column: column.id, descending: false };
  const entries: MenuEntry[] = [{ label: "Group by this column", isApart: true, act: () => arrange({ groups: [group] }) }];
  if (others.length > 0 && others.length < MAX_GROUPS) entries.push({ label: "Then group by this column", act: () => arrange({ groups: [...others, group] }) });
  return entries;
}

/** Lists, instants and long texts have hardly two equal cells. */
export const isGroupable = ({ form, ids_of, is_multiline }: Column): boolean =>
  form !== "strings" && form !== "instant" && ids_of !== "rows" && !is_multiline;
