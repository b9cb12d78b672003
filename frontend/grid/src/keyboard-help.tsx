// The list of the grid's keys, opened by Ctrl+/.

import { useEffect, useRef, type ReactElement } from "react";

const MAC = /Mac|iP(hone|ad)/.test(navigator.platform);
const CTRL = MAC ? "⌘" : "Ctrl";

const KEYS: [string, [string, string][]][] = [
  ["Move", [
    ["Arrows, Tab, Enter", "To the next cell"], [`${CTRL}+Arrows`, "To the edge of the sheet"], ["Page Up, Page Down", "A screen up or down"],
    ["Home, End", "To the first or last column"], [`${CTRL}+F`, "Search the sheet"], ["Alt+Enter", "Open the row"], ["Alt+↓", "The menu of the column"],
  ]],
  ["Select", [
    ["Shift+Arrows", "More cells"], ["Shift+Space", "The row"], ["Ctrl+Space", "The column"], [`${CTRL}+A`, "Everything"],
  ]],
  ["Edit", [
    ["Type, F2", "Edit the cell"], ["Escape", "Leave it as it was"], ["Delete", "Empty the cells"], [`${CTRL}+D`, "Fill down"],
    [`${CTRL}+C, ${CTRL}+X, ${CTRL}+V`, "Copy, cut, paste"], [`${CTRL}+Z, ${CTRL}+Y`, "Undo, redo"], [`${CTRL}+Enter`, "Add a row"],
    ["Space", "Tick a box, fold a group"],
  ]],
];

export function KeyboardHelp({ close }: { close: () => void }): ReactElement {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} className="cg-dialog cg-help" aria-label="Keyboard" data-testid="grid-help" onClose={close}
      onKeyDown={(event) => event.stopPropagation()} onClick={(event) => event.target === dialog.current && dialog.current.close()}>
      {KEYS.map(([title, keys]) => (
        <section key={title}>
          <h2>{title}</h2>
          <dl>{keys.map(([key, what]) => <div key={key}><dt><kbd>{key}</kbd></dt><dd>{what}</dd></div>)}</dl>
        </section>
      ))}
      <div className="cg-buttons"><button className="cg-main" onClick={() => dialog.current?.close()}>Close</button></div>
    </dialog>
  );
}
