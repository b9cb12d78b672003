// What stands in place of the rows where the filter has none.

import type { ReactElement } from "react";
import type { Scene } from "./scene";

export function NoMatch({ scene }: { scene: Scene }): ReactElement | null {
  const { reader } = scene.view;
  if (reader.total !== 0 || !reader.isFiltered || reader.lines.count > 0) return null;
  return (
    <div className="cg-no-match" role="status" data-testid="grid-no-match">
      <p>No row matches the filter.</p>
      <button onClick={() => scene.trigger("view", { filter: [], search: "" })}>Clear filter and search</button>
    </div>
  );
}
