// What the page's loader calls: mounts the grid once per place on the page, and hands it what later runs bring.

import { createElement } from "react";
import { createRoot, type Root } from "react-dom/client";
import { Grid } from "./grid";
import { PastGrid } from "./pastgrid";
import { readPalette, type Palette } from "./theme";
import type { GridData } from "./types";
import "@glideapps/glide-data-grid/dist/index.css";
import "./grid.css";

/** What Streamlit gives to a component of its second version. */
interface Component {
  data: GridData;
  parentElement: HTMLElement;
  setTriggerValue: (name: string, value: unknown) => void;
}

interface Mounted {
  root: Root;
  portal: HTMLElement;
  palette: Palette;
}

declare const STYLE_SHEET: string;

const mounted = new WeakMap<HTMLElement, Mounted>();

/** Called on every run of the page and every change of theme. */
export function mount({ data, parentElement, setTriggerValue }: Component): void {
  const there = mounted.get(parentElement) ?? begin(parentElement);
  there.palette = keptPalette(there.palette, readPalette(parentElement));
  dress(there.portal, parentElement);
  const element = createElement(data.as_of ? PastGrid : Grid, {
    key: `${data.me.id}:${data.sheet}:${data.as_of ?? ""}`,
    data,
    palette: there.palette,
    portal: there.portal,
    trigger: (name, value) => setTriggerValue(name, value),
  });
  void styled.then(() => mounted.get(parentElement)?.root.render(element));
}

function begin(parent: HTMLElement): Mounted {
  const place = document.createElement("div");
  place.className = "cg-host";
  parent.append(place);
  const portal = document.createElement("div");
  portal.className = "cg-portal";
  document.body.append(portal);
  const made = { root: createRoot(place), portal, palette: readPalette(parent) };
  mounted.set(parent, made);
  return made;
}

/** The component goes away. */
export function unmount(parent: HTMLElement): void {
  const there = mounted.get(parent);
  mounted.delete(parent);
  there?.root.unmount();
  there?.portal.remove();
}

/** The same object while the theme is the same, so that a rerun draws nothing anew. */
function keptPalette(before: Palette, now: Palette): Palette {
  return JSON.stringify(before) === JSON.stringify(now) ? before : now;
}

/** Editors and menus stand at the end of the page, out of reach of the component's theme variables: give them theirs. */
function dress(portal: HTMLElement, parent: HTMLElement): void {
  const style = getComputedStyle(parent);
  for (const name of VARIABLES) portal.style.setProperty(name, style.getPropertyValue(name));
}

const VARIABLES = [
  "background-color", "secondary-background-color", "text-color", "primary-color", "link-color", "border-color", "font",
  "red-color", "red-background-color", "red-text-color", "orange-color", "orange-background-color", "orange-text-color",
  "green-color", "green-text-color", "base-radius",
].map((name) => `--st-${name}`);

const styled = new Promise<void>((resolve) => {
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = new URL(STYLE_SHEET, import.meta.url).href;
  link.onload = link.onerror = () => resolve();
  document.head.append(link);
});
