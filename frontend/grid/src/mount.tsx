// What the page's loader calls: mounts the grid once per container, and passes the data of later runs to it.

import { createElement } from "react";
import { createRoot, type Root } from "react-dom/client";
import { Grid } from "./grid";
import { PastGrid } from "./past-grid";
import { readPalette, type Palette } from "./theme";
import type { GridData } from "../../sheet/src/types";
import "@glideapps/glide-data-grid/dist/index.css";
import "./grid.css";

/** The arguments that Streamlit passes to a component (version 2). */
interface Component {
  data: GridData;
  parentElement: HTMLElement;
  setTriggerValue: (name: string, value: unknown) => void;
}

interface MountedGrid {
  root: Root;
  portal: HTMLElement;
  palette: Palette;
  data?: GridData;
  trigger: Component["setTriggerValue"];
  setTrigger: Component["setTriggerValue"];
}

declare const STYLE_SHEET: string;

const mounted = new WeakMap<HTMLElement, MountedGrid>();

/** Called on every run of the page and every change of theme. */
export function mount({ data, parentElement, setTriggerValue }: Component): void {
  const grid = mounted.get(parentElement) ?? createGrid(parentElement);
  grid.palette = reuseUnchanged(grid.palette, readPalette(parentElement));
  grid.data = reuseUnchanged(grid.data, data);
  grid.setTrigger = setTriggerValue;
  copyTheme(grid.portal, parentElement);
  const element = createElement(data.as_of ? PastGrid : Grid, {
    key: `${data.me.id}:${data.sheet}:${data.as_of ?? ""}`,
    data: grid.data,
    palette: grid.palette,
    portal: grid.portal,
    trigger: grid.trigger,
  });
  void stylesLoaded.then(() => mounted.get(parentElement)?.root.render(element));
}

function createGrid(parent: HTMLElement): MountedGrid {
  const host = document.createElement("div");
  host.className = "cg-host";
  parent.append(host);
  const portal = document.createElement("div");
  portal.className = "cg-portal";
  document.body.append(portal);
  const grid: MountedGrid = {
    root: createRoot(host), portal, palette: readPalette(parent), setTrigger: () => undefined,
    trigger: (name, value) => grid.setTrigger(name, value),
  };
  mounted.set(parent, grid);
  return grid;
}

/** Called when the component is removed. */
export function unmount(parent: HTMLElement): void {
  const grid = mounted.get(parent);
  mounted.delete(parent);
  grid?.root.unmount();
  grid?.portal.remove();
}

/** Keep the old object of every part that is equal, so that a rerun draws nothing again. */
function reuseUnchanged<Parts extends object>(before: Parts | undefined, now: Parts): Parts {
  if (!before) return now;
  const isSame = (name: string): boolean => JSON.stringify(before[name as keyof Parts]) === JSON.stringify(now[name as keyof Parts]);
  const names = Object.keys({ ...before, ...now });
  if (names.every(isSame)) return before;
  return Object.fromEntries(names.map((name) => [name, (isSame(name) ? before : now)[name as keyof Parts]])) as Parts;
}

/** Copy the theme variables of the component to the portal at the end of the page, for editors and menus. */
function copyTheme(portal: HTMLElement, parent: HTMLElement): void {
  const style = getComputedStyle(parent);
  for (const name of VARIABLES) portal.style.setProperty(name, style.getPropertyValue(name));
}

const VARIABLES = [
  "background-color", "secondary-background-color", "text-color", "primary-color", "link-color", "border-color", "font",
  "red-color", "red-background-color", "red-text-color", "orange-color", "orange-background-color", "orange-text-color",
  "green-color", "green-text-color", "base-radius",
].map((name) => `--st-${name}`);

const stylesLoaded = new Promise<void>((resolve) => {
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = new URL(STYLE_SHEET, import.meta.url).href;
  link.onload = link.onerror = () => resolve();
  document.head.append(link);
});
