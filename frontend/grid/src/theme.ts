// Colours and fonts of the grid, taken from Streamlit's theme variables, so that light, dark and custom themes follow.

import type { Theme } from "@glideapps/glide-data-grid";

export interface Palette {
  dark: boolean;
  glide: Partial<Theme>;
  text: string;
  faint: string;
  link: string;
  primary: string;
  saving: string;
  /** The background of headers, also of groups. */
  header: string;
  refused: Tint;
  conflict: Tint;
  /** Tints by the name of a colour. */
  tints: Record<string, Tint>;
}

export interface Tint {
  background: string;
  text: string;
  strong: string;
}

const NAMES = ["red", "orange", "yellow", "green", "blue", "violet", "gray"] as const;

export function readPalette(element: Element): Palette {
  const style = getComputedStyle(element);
  const read = (name: string, otherwise: string): string => {
    const value = style.getPropertyValue(`--st-${name}`).trim();
    return value && value !== "unset" ? value : otherwise;
  };
  const background = read("background-color", "#ffffff");
  const dark = brightness(background) < 128;
  const text = read("text-color", dark ? "#fafafa" : "#31333f");
  const tints = Object.fromEntries(NAMES.map((name) => [name, tint(name, read, dark)]));
  const primary = read("primary-color", "#3b6fd4");
  const faint = fade(text, 0.55);
  return {
    dark, text, faint, primary, tints,
    link: read("link-color", primary),
    saving: primary,
    header: headerColor(read, background),
    refused: tints.red as Tint,
    conflict: tints.orange as Tint,
    glide: glideTheme({ read, background, text, primary, dark }),
  };
}

type Read = (name: string, otherwise: string) => string;

function tint(name: string, read: Read, dark: boolean): Tint {
  const strong = read(`${name}-color`, name);
  return {
    strong,
    background: read(`${name}-background-color`, fade(strong, dark ? 0.25 : 0.12)),
    text: read(`${name}-text-color`, strong),
  };
}

const headerColor = (read: Read, background: string): string =>
  read("dataframe-header-background-color", read("secondary-background-color", background));

interface Base {
  read: Read;
  background: string;
  text: string;
  primary: string;
  dark: boolean;
}

function glideTheme({ read, background, text, primary, dark }: Base): Partial<Theme> {
  const header = headerColor(read, background);
  return {
    accentColor: primary,
    accentFg: "#ffffff",
    accentLight: fade(primary, dark ? 0.2 : 0.1),
    textDark: text,
    textMedium: fade(text, 0.7),
    textLight: fade(text, 0.45),
    textBubble: text,
    textHeader: fade(text, 0.8),
    textHeaderSelected: "#ffffff",
    bgIconHeader: fade(text, 0.55),
    fgIconHeader: header,
    bgCell: background,
    bgCellMedium: header,
    bgHeader: header,
    bgHeaderHasFocus: mix(header, text, 0.06),
    bgHeaderHovered: mix(header, text, 0.04),
    borderColor: fade(text, dark ? 0.14 : 0.1),
    horizontalBorderColor: fade(text, dark ? 0.1 : 0.07),
    headerBottomBorderColor: fade(text, 0.16),
    linkColor: read("link-color", primary),
    cellHorizontalPadding: 8,
    headerFontStyle: "600 12.5px",
    baseFontStyle: "13px",
    markerFontStyle: "11px",
    editorFontSize: "13px",
    fontFamily: read("font", "system-ui, sans-serif"),
    resizeIndicatorColor: primary,
    roundingRadius: 4,
  };
}

/** The tint of an option: a named colour of the theme, or another colour made readable on this background. */
export function optionTint(color: string | null | undefined, palette: Palette): Tint {
  const name = color?.toLowerCase() ?? "";
  const named = palette.tints[name === "grey" || name === "" ? "gray" : name === "purple" ? "violet" : name];
  if (named) return named;
  const own = rgb(color ?? "") ? (color as string) : palette.faint;
  const text = mix(own, palette.dark ? "#ffffff" : "#000000", palette.dark ? 0.55 : 0.45);
  return { strong: own, background: fade(own, palette.dark ? 0.32 : 0.18), text };
}

/** The colours of people. Red and orange mark what was not saved, so nobody has them. */
export const AUTHORS = ["blue", "green", "violet", "#0e8f96", "#b5399a", "#7c7a12", "#5a6bd8"];

/** The tint of a user, which is the same everywhere. */
export function authorTint(id: string, palette: Palette): Tint {
  const number = [...id].reduce((sum, letter) => sum + letter.charCodeAt(0), 0);
  return optionTint(AUTHORS[number % AUTHORS.length], palette);
}

const canvas = document.createElement("canvas").getContext("2d");

/** Red, green and blue of any colour that the browser knows; null if it is not a colour. */
function rgb(color: string): [number, number, number] | null {
  if (!canvas || !CSS.supports("color", color)) return null;
  canvas.clearRect(0, 0, 1, 1);
  canvas.fillStyle = color;
  const normal = canvas.fillStyle;
  const channels = normal.startsWith("#")
    ? [1, 3, 5].map((start) => parseInt(normal.slice(start, start + 2), 16))
    : (normal.match(/[\d.]+/g) ?? []).slice(0, 3).map(Number);
  return channels.length === 3 ? (channels as [number, number, number]) : null;
}

export function fade(color: string, alpha: number): string {
  const channels = rgb(color);
  return channels ? `rgba(${channels.join(", ")}, ${alpha})` : color;
}

/** The text colour that is readable on a strong colour: black or white. */
export function inkOn(color: string): string {
  return brightness(color) > 150 ? "#1a1a1a" : "#ffffff";
}

function mix(color: string, other: string, share: number): string {
  const [a, b] = [rgb(color), rgb(other)];
  if (!a || !b) return color;
  return `rgb(${a.map((channel, i) => Math.round(channel * (1 - share) + (b[i] ?? 0) * share)).join(", ")})`;
}

function brightness(color: string): number {
  const [r, g, b] = rgb(color) ?? [255, 255, 255];
  return 0.299 * r + 0.587 * g + 0.114 * b;
}
