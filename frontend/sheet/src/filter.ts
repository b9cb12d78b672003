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

/** All conditions of a filter. */
export function conditionsOf(filter: Filter): Condition[] {
  if (Array.isArray(filter)) return filter.flatMap(conditionsOf);
  if ("all" in filter) return filter.all.flatMap(conditionsOf);
  return "any" in filter ? filter.any.flatMap(conditionsOf) : [filter];
}

/** The conditions that hold for every row of a filter. */
export function impliedConditions(filter: Filter): Condition[] {
  if (Array.isArray(filter)) return filter.flatMap(impliedConditions);
  if ("all" in filter) return filter.all.flatMap(impliedConditions);
  if ("any" in filter) return filter.any.length === 1 ? filter.any.flatMap(impliedConditions) : [];
  return [filter];
}

/** The filter with one more condition that must hold. */
export function withCondition(filter: Filter, condition: Condition): Filter {
  if (Array.isArray(filter)) return [...filter, condition];
  return "all" in filter ? { all: [...filter.all, condition] } : { all: [filter, condition] };
}
