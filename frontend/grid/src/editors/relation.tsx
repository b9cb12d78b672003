// The editor for related rows: a list of another sheet's rows that narrows while one types, and adds missing ones.

import { useEffect, useState, type KeyboardEvent, type ReactElement } from "react";
import { relatedRows } from "../../../sheet/src/format";
import type { Column, Input, RelatedRow } from "../../../sheet/src/types";
import { fold } from "../fold";
import { Entry, keepFocus, Search } from "./choice";
import { LEFT, moveOf, STAY, type Candidates, type EditorProps, type Move, type RelatedSource } from "./editor";

export function RelationEditor({ editing, palette, related, done, unsaved }: EditorProps): ReactElement {
  const { column } = editing;
  const before = relatedRows(editing.value);
  const [search, setSearch] = useState((editing.typed ?? "").trim());
  const [at, setAt] = useState(-1);
  const [picked, setPicked] = useState(before);
  const [problem, setProblem] = useState("");
  const candidates = useCandidates(related, column, search, setProblem);
  const isCurrent = candidates?.search === search;
  const rows = search ? (candidates?.rows ?? []) : listed(picked, candidates?.rows ?? []);
  const isNew = isCurrent && search !== "" && candidates.new_title !== null && !rows.some(({ title }) => fold(title) === fold(search));
  const marked = at >= 0 ? at : search ? 0 : -1;
  const has = (row: RelatedRow): boolean => picked.some(({ id }) => id === row.id);
  const toggled = (row: RelatedRow): RelatedRow[] => {
    if (has(row)) return picked.filter(({ id }) => id !== row.id);
    return column.rules.single ? [row] : [...picked, row];
  };
  const pick = (row: RelatedRow): void => {
    const next = toggled(row);
    if (column.rules.single) return done(inputOf(column, next, before), STAY);
    setPicked(next);
    setSearch("");
    setAt(-1);
  };
  const create = (): void => {
    if (candidates) void related.add(candidates, search).then(pick, (error: unknown) => setProblem(messageOf(error)));
  };
  // A text that is left in the field is matched by the server, which says what is wrong with it.
  unsaved.current = () => (search ? { text: [...picked.map(({ title }) => title), search].map(quoted).join(", ") } : inputOf(column, picked, before));
  const close = (move: Move | typeof LEFT): void => done(unsaved.current(), move);
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.nativeEvent.isComposing) return;
    const move = moveOf(event);
    const row = rows[marked];
    if (event.key === "Escape") done(null, STAY);
    else if (event.key === "ArrowDown") setAt(Math.min(marked + 1, rows.length - 1 + (isNew ? 1 : 0)));
    else if (event.key === "ArrowUp") setAt(Math.max(marked - 1, 0));
    else if (event.key === "Enter" && search !== "" && isCurrent && row) pick(row);
    else if (event.key === "Enter" && search === "" && at >= 0 && row) pick(row);
    else if (event.key === "Enter" && isNew) create();
    else if (move) close(move);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div className="cg-pick">
      <Search text={search} label={column.name} placeholder={`Search${candidates ? ` ${candidates.name}` : ""}…`} onKeyDown={onKeyDown}
        onChange={(text) => { setSearch(text); setAt(-1); setProblem(""); }} onBlur={() => close(LEFT)} />
      <ul className="cg-list" role="listbox" aria-label={candidates?.name ?? column.name} aria-multiselectable={!column.rules.single}>
        {rows.map((row, index) => (
          <Entry key={row.id} pick={{ id: row.id, label: row.title, color: null, also: [] }} palette={palette}
            isMarked={index === marked} isPicked={has(row)} onPick={() => pick(row)} />
        ))}
        {isNew && (
          <li role="option" aria-selected={false} className={marked === rows.length ? "cg-entry cg-marked" : "cg-entry"}
            onMouseDown={keepFocus} onClick={create}>Create “{search}” in {candidates.name}</li>
        )}
        {rows.length === 0 && isCurrent && !isNew && <li className="cg-none">No match for “{search}”</li>}
      </ul>
      {problem && <p className="cg-none" role="alert">{problem}</p>}
    </div>
  );
}

interface Found extends Candidates {
  search: string;
}

/** The candidates for a text; those of the text before until they arrive. */
function useCandidates(related: RelatedSource, column: Column, search: string, failed: (problem: string) => void): Found | null {
  const [candidates, setCandidates] = useState<Found | null>(null);
  useEffect(() => {
    const reading = new AbortController();
    const timer = setTimeout(() => {
      related.search(column, search, reading.signal).then(
        (answer) => setCandidates({ ...answer, search }),
        (error: unknown) => reading.signal.aborted || failed(messageOf(error)),
      );
    }, search ? TYPING_PAUSE : 0);
    return () => {
      clearTimeout(timer);
      reading.abort();
    };
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [column.id, search]);
  return candidates;
}

const TYPING_PAUSE = 120;
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : "The server does not answer.");
const quoted = (title: string): string => (/[,;"\n]/.test(title) ? `"${title.replaceAll('"', '""')}"` : title);

/** The picked rows first, then the others. */
function listed(picked: RelatedRow[], rows: RelatedRow[]): RelatedRow[] {
  return [...picked, ...rows.filter(({ id }) => !picked.some((row) => row.id === id))];
}

/** The input, or null where nothing has changed. A mirror names what changed, because its cell has no version. */
function inputOf(column: Column, picked: RelatedRow[], before: RelatedRow[]): Input | null {
  const add = picked.filter(({ id }) => !before.some((row) => row.id === id)).map(({ id }) => id);
  const remove = before.filter(({ id }) => !picked.some((row) => row.id === id)).map(({ id }) => id);
  if (!add.length && !remove.length) return null;
  if (column.is_computed) return { value: { add, remove, shown: picked } };
  return { value: picked.length ? picked : null };
}
