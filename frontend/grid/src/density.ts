// The heights of the grid's parts in pixels, and the width of the row markers.

/** A finger needs more room than a mouse. */
export const COARSE = matchMedia("(pointer: coarse)").matches;

export const ROW_HEIGHT = COARSE ? 36 : 27;
export const HEADER_HEIGHT = COARSE ? 36 : 30;
export const MARKER_WIDTH = 40;
export const TOTALS_HEIGHT = 26;
export const STATUS_HEIGHT = 30;
