// The bar of a refused value, in place of the totals: it covers no cell. It says why, and offers to edit, what would fit, or to drop.

import type { ReactElement } from "react";
import { everyPick } from "./editors/picks";
import type { Scene } from "./scene";
import { CopyButton, copyValue } from "../../sheet/src/copy-button";
import type { RejectedEdit } from "../../sheet/src/commands";
import { fitting } from "../../sheet/src/fitting";
import { today } from "../../sheet/src/format";
import { typedText } from "../../sheet/src/rejected-edit";
import type { Column } from "../../sheet/src/types";

interface RefusedBarProps {
  scene: Scene;
  edit: RejectedEdit;
  column: Column;
  /** Open the editor with the refused value. */
  open: () => void;
}

export function RefusedBar({ scene, edit, column, open }: RefusedBarProps): ReactElement {
  const { session, view, context, grid } = scene;
  const typed = typedText(edit, column, context);
  const entries = column.ids_of ? everyPick(column, context).map(({ label }) => label) : [];
  const offers = typed ? fitting(typed, column, entries, today(context.formats.time_zone)) : [];
  const then = (act: () => void) => (): void => {
    act();
    requestAnimationFrame(() => grid.current?.focus());
  };
  const write = (text: string): void => session.write([{ row: edit.row, column: column.id, input: { text }, base: view.baseOf(edit.row, column.id) }]);
  return (
    <div className="cg-refusal" role="group" aria-label="Not saved" data-testid="grid-refused">
      <span role="status"><strong>Not saved.</strong> {edit.reason} {typed && <span className="cg-quoted">{typed}</span>}</span>
      <button className="cg-main" data-testid="refused-edit" onClick={open}>Edit</button>
      {offers.map((text) => <button key={text} data-testid="refused-offer" onClick={then(() => write(text))}>Use {text}</button>)}
      {typed && <CopyButton text={() => copyValue(edit, column, context)} label="Copy value" />}
      <button onClick={then(() => session.discard([edit]))}>{typeof edit.row === "string" ? "Drop this row" : "Drop my value"}</button>
    </div>
  );
}
