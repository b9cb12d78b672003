// The filter of a view, as core/rows/filter_tree.py reads it.

export interface Condition {
  column: number;
  op: string;
  value?: unknown;
}

/** A condition, or nodes of which all hold, or at least one. */
export type FilterNode = Condition | { all: FilterNode[] } | { any: FilterNode[] };

/** Nodes that all hold, or one node. */
export type Filter = FilterNode[] | FilterNode;

/** The columns that a filter reads; none where it lets every row pass. */
export function filterColumns(filter: Filter = []): number[] {
  if (Array.isArray(filter)) return filter.flatMap(filterColumns);
  if ("all" in filter) return filterColumns(filter.all);
  return "any" in filter ? filterColumns(filter.any) : [filter.column];
}
