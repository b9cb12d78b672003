// The card that searches the sheet where the page shows no field for it.

import { useState, type ReactElement } from "react";
import { Card } from "./card";
import type { Scene } from "./scene";

export function SearchCard({ scene, portal, close }: { scene: Scene; portal: Element; close: () => void }): ReactElement {
  const [text, setText] = useState(scene.data.view.search ?? "");
  const { left = 0, top = 0, width = 0 } = scene.box.current?.getBoundingClientRect() ?? {};
  const search = (): null => {
    scene.trigger("view", { search: text });
    return null;
  };
  return (
    <Card label="Search the sheet" position={{ x: left + width - 280, y: top + 38 }} portal={portal} close={close} action="Search" act={search}>
      <label>Search<input type="search" maxLength={200} value={text} data-testid="search-text" onChange={(event) => setText(event.target.value)} /></label>
    </Card>
  );
}
