// What the page's loader calls: mounts the grid once per place on the page, and hands it what later runs bring.

import { createElement } from "react";
import { createRoot, type Root } from "react-dom/client";
import { Grid } from "./grid";
import { PastGrid } from "./past-grid";
import { readPalette, type Palette } from "./theme";
import type { GridData } from "../../sheet/src/types";
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
  data?: GridData;
  trigger: Component["setTriggerValue"];
  say: Component["setTriggerValue"];
}

declare const STYLE_SHEET: string;

const mounted = new WeakMap<HTMLElement, Mounted>();

/** Called on every run of the page and every change of theme. */
export function mount({ data, parentElement, setTriggerValue }: Component): void {
  const there = mounted.get(parentElement) ?? begin(parentElement);
  there.palette = kept(there.palette, readPalette(parentElement));
  there.data = kept(there.data, data);
  there.say = setTriggerValue;
  dress(there.portal, parentElement);
  const element = createElement(data.as_of ? PastGrid : Grid, {
    key: `${data.me.id}:${data.sheet}:${data.as_of ?? ""}`,
    data: there.data,
    palette: there.palette,
    portal: there.portal,
    trigger: there.trigger,
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
  const made: Mounted = {
    root: createRoot(place), portal, palette: readPalette(parent), say: () => undefined,
    trigger: (name, value) => made.say(name, value),
  };
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

/** Every part is the same object while it says the same, so that a rerun draws nothing anew. */
function kept<Parts extends object>(before: Parts | undefined, now: Parts): Parts {
  if (!before) return now;
  const isSame = (name: string): boolean => JSON.stringify(before[name as keyof Parts]) === JSON.stringify(now[name as keyof Parts]);
  const names = Object.keys({ ...before, ...now });
  if (names.every(isSame)) return before;
  return Object.fromEntries(names.map((name) => [name, (isSame(name) ? before : now)[name as keyof Parts]])) as Parts;
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
