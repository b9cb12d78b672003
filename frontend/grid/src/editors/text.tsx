// The editor for what is typed: text, numbers, links. The text goes to the server as it is; core reads it.

import { useLayoutEffect, useRef, useState, type KeyboardEvent, type ReactElement } from "react";
import { isNumber } from "../../../sheet/src/format";
import { isLeft, LEFT, moveOf, STAY, typedInput, type EditorProps } from "./editor";

const KEYBOARDS = { "": "text", https: "url", mailto: "email", tel: "tel" } as const;

export function TextEditor({ editing, done, unsaved }: EditorProps): ReactElement {
  const [text, setText] = useState(editing.typed ?? editing.text);
  const field = useRef<HTMLTextAreaElement>(null);
  unsaved.current = () => typedInput(text, editing.text);
  const isLong = editing.column.is_multiline;
  useLayoutEffect(() => focusAtEnd(field.current), []);
  useLayoutEffect(() => fit(field.current), [text]);
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>): void => {
    if (event.nativeEvent.isComposing) return;
    const move = moveOf(event);
    if (event.key === "Escape") done(null, STAY);
    else if (isLong && event.key === "Enter" && (event.altKey || event.shiftKey)) insertLine(event.currentTarget, setText);
    else if (move) done(typedInput(text, editing.text), move);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <textarea
      ref={field}
      className={editing.column.align_right ? "cg-field cg-right" : "cg-field"}
      rows={1}
      value={text}
      inputMode={isNumber(editing.column) ? "decimal" : KEYBOARDS[editing.column.scheme]}
      aria-label={editing.column.name}
      data-testid="grid-editor"
      spellCheck={isLong}
      onChange={(event) => setText(isLong ? event.target.value : event.target.value.replace(/[\r\n]+/g, " "))}
      onKeyDown={onKeyDown}
      onBlur={(event) => isLeft(event) && done(typedInput(text, editing.text), LEFT)}
    />
  );
}

function focusAtEnd(field: HTMLTextAreaElement | null): void {
  field?.focus({ preventScroll: true });
  field?.setSelectionRange(field.value.length, field.value.length);
}

function fit(field: HTMLTextAreaElement | null): void {
  if (!field) return;
  field.style.height = "0";
  field.style.height = `${Math.min(field.scrollHeight, 240)}px`;
}

function insertLine(field: HTMLTextAreaElement, setText: (text: string) => void): void {
  field.setRangeText("\n", field.selectionStart, field.selectionEnd, "end");
  setText(field.value);
}
