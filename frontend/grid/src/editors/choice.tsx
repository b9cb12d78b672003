// The editor for choices and people: a list that narrows while one types.

import { useLayoutEffect, useRef, useState, type KeyboardEvent, type ReactElement } from "react";
import { idsIn } from "../../../sheet/src/format";
import { authorTint, optionTint, type Palette } from "../theme";
import type { Input } from "../../../sheet/src/types";
import { isLeft, LEFT, moveOf, STAY, type EditorProps, type Move } from "./editor";
import { everyPick, isAmbiguous, isPending, matching, type Pick } from "./picks";

export function ChoiceEditor({ editing, context, palette, done, unsaved }: EditorProps): ReactElement {
  const [search, setSearch] = useState((editing.typed ?? "").trim());
  const [at, setAt] = useState(-1);
  const picks = matching(everyPick(editing.column, context), search);
  const current = typeof editing.value === "string" ? editing.value : null;
  const marked = at >= 0 ? at : search ? 0 : picks.findIndex((pick) => pick.id === current);
  // A name that two people share selects neither: the server's error says what to write instead.
  const isUnclear = isAmbiguous(picks, search) || (search !== "" && isPending(editing.column, context));
  const chosen = at < 0 && isUnclear ? undefined : picks[marked];
  unsaved.current = () => inputOf(chosen, search, at >= 0, current);
  const close = (move: Move | typeof LEFT): void => done(unsaved.current(), move);
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.nativeEvent.isComposing) return;
    const move = moveOf(event);
    if (event.key === "Escape") done(null, STAY);
    else if (event.key === "ArrowDown") setAt(Math.min(marked + 1, picks.length - 1));
    else if (event.key === "ArrowUp") setAt(Math.max(marked - 1, 0));
    else if (move) close(move);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div className="cg-pick">
      <Search text={search} label={editing.column.name} placeholder={editing.text || "Search…"} onKeyDown={onKeyDown}
        onChange={(text) => { setSearch(text); setAt(-1); }} onBlur={() => close(LEFT)} />
      <ul className="cg-list" role="listbox">
        {picks.map((pick) => (
          <Entry key={pick.id} pick={pick} palette={palette} isMarked={pick === chosen} isPicked={pick.id === current}
            onPick={() => done(pick.id === current ? null : { value: pick.id }, STAY)} />
        ))}
        {picks.length === 0 && <li className="cg-none">No match for “{search}”</li>}
      </ul>
      {current !== null && !editing.column.rules.required && (
        <button className="cg-quiet" onMouseDown={keepFocus} onClick={() => done({ value: null }, STAY)}>Clear</button>
      )}
    </div>
  );
}

/** The input: the marked entry, or the typed text if nothing matches it. */
function inputOf(marked: Pick | undefined, search: string, moved: boolean, current: string | null): Input | null {
  if (!search && !moved) return null;
  if (!marked) return search ? { text: search } : null;
  return marked.id === current ? null : { value: marked.id };
}

export function ChoicesEditor({ editing, context, palette, done, unsaved }: EditorProps): ReactElement {
  const before = idsIn(editing.value);
  const [search, setSearch] = useState((editing.typed ?? "").trim());
  const [at, setAt] = useState(-1);
  const [picked, setPicked] = useState<string[]>(before);
  const picks = matching(everyPick(editing.column, context), search);
  const marked = at >= 0 ? at : search ? 0 : -1;
  const toggle = (id: string): void => {
    setPicked((now) => (now.includes(id) ? now.filter((other) => other !== id) : [...now, id]));
    setSearch("");
  };
  unsaved.current = () => {
    if (search && picks.length === 0) return { text: search };
    return hasSameIds(picked, before) ? null : { value: picked.length ? picked : null };
  };
  const close = (move: Move | typeof LEFT): void => done(unsaved.current(), move);
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.nativeEvent.isComposing) return;
    const move = moveOf(event);
    const pick = picks[marked];
    if (event.key === "Escape") done(null, STAY);
    else if (event.key === "ArrowDown") setAt(Math.min(marked + 1, picks.length - 1));
    else if (event.key === "ArrowUp") setAt(Math.max(marked - 1, 0));
    else if (event.key === "Enter" && pick) { toggle(pick.id); setAt(-1); }
    else if (move) close(move);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div className="cg-pick">
      <Search text={search} label={editing.column.name} placeholder="Search, Enter adds…" onKeyDown={onKeyDown}
        onChange={(text) => { setSearch(text); setAt(-1); }} onBlur={() => close(LEFT)} />
      <ul className="cg-list" role="listbox" aria-multiselectable>
        {picks.map((pick, index) => (
          <Entry key={pick.id} pick={pick} palette={palette} isMarked={index === marked} isPicked={picked.includes(pick.id)}
            onPick={() => toggle(pick.id)} />
        ))}
        {picks.length === 0 && <li className="cg-none">No match for “{search}”</li>}
      </ul>
    </div>
  );
}

interface SearchProps {
  text: string;
  label: string;
  placeholder: string;
  onChange: (text: string) => void;
  onKeyDown: (event: KeyboardEvent) => void;
  onBlur: () => void;
}

export function Search({ text, label, placeholder, onChange, onKeyDown, onBlur }: SearchProps): ReactElement {
  const field = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => field.current?.focus({ preventScroll: true }), []);
  return (
    <input ref={field} className="cg-field" value={text} aria-label={label} placeholder={placeholder}
      data-testid="grid-editor" onChange={(event) => onChange(event.target.value)} onKeyDown={onKeyDown}
      onBlur={(event) => isLeft(event) && onBlur()} />
  );
}

interface EntryProps {
  pick: Pick;
  palette: Palette;
  isMarked: boolean;
  isPicked: boolean;
  onPick: () => void;
}

export function Entry({ pick, palette, isMarked, isPicked, onPick }: EntryProps): ReactElement {
  const entry = useRef<HTMLLIElement>(null);
  useLayoutEffect(() => {
    if (isMarked) entry.current?.scrollIntoView({ block: "nearest" });
  }, [isMarked]);
  const tint = pick.color === undefined ? authorTint(pick.id, palette) : optionTint(pick.color, palette);
  return (
    <li ref={entry} role="option" aria-selected={isPicked} className={isMarked ? "cg-entry cg-marked" : "cg-entry"}
      onMouseDown={keepFocus} onClick={onPick}>
      <span className="cg-chip" style={{ background: tint.background, color: tint.text }}>{pick.label}</span>
      {isPicked && <span aria-hidden>✓</span>}
    </li>
  );
}

/** The field keeps the focus while the user clicks in its list. */
export function keepFocus(event: { preventDefault: () => void }): void {
  event.preventDefault();
}

const hasSameIds = (a: string[], b: string[]): boolean => a.length === b.length && a.every((id) => b.includes(id));
