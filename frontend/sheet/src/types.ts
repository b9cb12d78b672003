// The types that the frontend, the API and the pages share. Values stay as the API sends them.

import type { Filter } from "./filter";

/** A cell's value as the API sends it: numbers as decimal strings, choices by option id, instants in UTC. */
export type CellValue = null | string | boolean | string[] | RelatedRow[] | RelatedChange | CellError;

/** The reason for which a computed cell has no value. */
export interface CellError {
  error: string;
}

/** A row of another sheet, in a cell of a relation. */
export interface RelatedRow {
  id: string;
  title: string;
}

/** What an edit adds to a cell that another sheet stores and what it removes; `shown` is the cell afterwards. */
export interface RelatedChange {
  add: string[];
  remove: string[];
  shown: RelatedRow[];
}

/** What a person typed (text, parsed by the server) or picked (a value that needs no parsing). */
export type Input = { text: string } | { value: CellValue };

/** A row's id, or the client's own key until the server has given it an id. */
export type RowRef = number | string;

export interface Option {
  id: string;
  label: string;
  color?: string | null;
  retired?: boolean;
  probability?: number | null;
  kind?: string | null;
}

/** What the columns of a type have in common. The frontend does not use the names of types. */
export interface Traits {
  form: "string" | "strings" | "decimal" | "currency" | "percentage" | "day" | "instant" | "boolean";
  /** What the ids in its cells refer to. */
  ids_of: "options" | "people" | "rows" | null;
  /** The scheme of the address that a value opens. */
  scheme: "" | "https" | "mailto" | "tel";
  is_multiline: boolean;
  /** Its cells are computed; those of a mirror are stored in another sheet. */
  is_computed?: boolean;
  icon: string;
  width: number;
}

/** The types of columns that are made for pasted cells. */
export interface NewTypes {
  line: string;
  lines: string;
  decimal: string;
  day: string;
  instant: string;
}

export interface Column extends Traits {
  id: number;
  name: string;
  type: string;
  description?: string;
  rules: { required?: boolean; decimals?: number; currency?: string; time_zone?: string; number_format?: string; [rule: string]: unknown };
  options: Option[];
  editor?: string;
  /** The user may see the column and not change it. */
  read_only?: boolean;
  align_right?: boolean;
  /** The conditions that it can be filtered by. */
  filters?: ColumnFilter[];
}

export interface ColumnFilter {
  op: string;
  label: string;
  takes: "none" | "one" | "two" | "many";
}

/** A type of which columns can be added. */
export interface ColumnKind {
  name: string;
  label: string;
  has_options: boolean;
}

export interface Sort {
  column: number;
  descending: boolean;
}

export interface View {
  sort?: Sort[];
  filter?: Filter;
  search?: string;
  /** The columns by which rows are grouped; the rows are sorted by them first. */
  groups?: Sort[];
}

export type TotalFunction = "sum" | "average" | "min" | "max" | "filled" | "empty" | "unique";

/** How the columns of a view are arranged. */
export interface Layout {
  widths: Record<string, number>;
  hidden: number[];
  order: number[];
  /** The number of columns that stay in place when the grid scrolls sideways. */
  frozen: number;
  groups: Sort[];
  /** The total of each column in the footer; null is none. */
  totals: Record<string, TotalFunction | null>;
  /** Of the rules that apply to a row or cell, the first one colours it. */
  colors: ColorRule[];
}

/** Rows that the filter has are coloured, or their cells in one column. */
export interface ColorRule {
  filter: Filter;
  color: string;
  /** The column whose cells are coloured; null for whole rows. */
  column: number | null;
  /** The column whose menu has this rule. */
  on?: number;
}

/** The rows with these values in the columns of the groups. Fewer values are an outer group. */
export interface GroupTotals {
  values: CellValue[];
  rows: number;
  totals: Record<string, CellValue | number>;
}

export interface Totals {
  version: number;
  rows: number;
  all_rows: number;
  /** By "column:function"; numbers are exact decimal text, counts are numbers. */
  totals: Record<string, CellValue | number>;
  groups: GroupTotals[];
}

export interface Formats {
  locale: string;
  date: string;
  time_zone: string;
}

/** What the page passes to the component on every run. */
export interface GridData {
  sheet: number;
  name: string;
  me: { id: string; name: string };
  columns: Column[];
  /** The column that names the owner of a row; null where there is none. */
  owner_column: number | null;
  /** The column of a pipeline's stages; null for other sheets. */
  stage_column: number | null;
  new_types: NewTypes;
  kinds: ColumnKind[];
  people: Record<string, string>;
  can_edit: boolean;
  can_add: boolean;
  can_delete: boolean;
  can_configure: boolean;
  can_export: boolean;
  view: View;
  layout: Layout;
  /** The stored view that the layout belongs to; none for the visitor of a public link. */
  stored_view?: number | null;
  /** The version of that view that the page shows: changes are based on it. */
  stored_version?: number | null;
  /** Another number whenever the page has read the layout anew. */
  layout_read?: number | null;
  formats: Formats;
  version: number | null;
  height: number | null;
  /** The public link by which the sheet is shown; null for a signed-in user. */
  link?: number | null;
  /** "version:N": the sheet as it was, to be read only; null for the live sheet. */
  as_of?: string | null;
  /** How rows and cells differ from those of another instant. */
  tints?: Tints | null;
}

export type Tint = "edited" | "added" | "deleted";

/** By row: "added" or "deleted", or the columns whose cells were edited. */
export type Tints = Record<string, "added" | "deleted" | number[]>;

export interface Row {
  id: number;
  values: Record<string, CellValue>;
  deleted?: boolean;
}

export interface RowsPage {
  version: number;
  order: string | null;
  total: number | null;
  rows: Row[];
}

export interface ChangedRow {
  id: number;
  values: Record<string, CellValue>;
  versions: Record<string, number>;
  by?: { id: string | number; name: string } | null;
  added?: boolean;
  removed?: boolean;
  /** It was in the trash at the version from which the changes start. */
  restored?: boolean;
}

export interface Changes {
  version: number;
  columns_version?: number;
  /** A hash of the user's level and of the rows they may see. */
  scope?: string;
  reset: boolean;
  rows?: ChangedRow[];
}

export interface Refusal {
  row?: number | null;
  key?: string | null;
  column?: number | null;
  text?: string | null;
  reason: string;
}

export interface ConflictFact {
  row: number;
  column: number;
  mine: CellValue;
  theirs: CellValue;
  original: CellValue;
  by: { id: string | number; name: string } | string | null;
  at: string | null;
  version: number;
  /** The reason, if it is not that another user changed the cell. */
  reason?: string | null;
}

/** What the server answers to one command. */
export interface Outcome {
  version: number;
  saved: { row: number; column: number; value: CellValue; version: number }[];
  added: { key: string; row: number; values: Record<string, CellValue> }[];
  deleted: number[];
  refused: Refusal[];
  conflicts: ConflictFact[];
  gone: { row?: number | null; column?: number | null; key?: string | null; reason?: string | null }[];
}
