"""The common look of the charts: colors, labels without markup, and ticks."""

import html
import re
from typing import Any

Chart = dict[str, Any]  # The traces (`data`) and the `layout` of a chart, by plotly's schema.

# Colors that are legible on light and on dark backgrounds.
WON, LOST, OPEN, RATE = "#3f9a63", "#c9564d", "#7d98a6", "#24918b"
COLORS = {
    "gray": "#8d9ca6",
    "blue": "#4a86c5",
    "violet": "#8a74c9",
    "orange": "#d98a3d",
    "green": "#3f9a63",
    "red": "#c9564d",
    "yellow": "#c9a227",
}
HEIGHT = 320
MAX_LABEL_LENGTH = 26
_HEX = re.compile(r"#[0-9a-fA-F]{6}")


def styled(traces: list[dict[str, Any]], layout: dict[str, Any], *, height: int = HEIGHT) -> Chart:
    """Return a chart in the common look. `uirevision` preserves the traces hidden in the legend across refreshes."""
    common = {
        "height": height,
        "margin": {"l": 4, "r": 4, "t": 4, "b": 4},
        "legend": {
            "orientation": "h",
            "y": 1.0,
            "yanchor": "bottom",
            "x": 0,
            "title": {"text": ""},
            "traceorder": "normal",
        },
        "showlegend": sum(trace["type"] == "bar" for trace in traces) > 1,
        "uirevision": "kept",
        "dragmode": False,
        "hovermode": "closest",
        "hoverlabel": {"namelength": -1},
    }
    axes = {name: layout[name] | {"fixedrange": True} for name in ("xaxis", "yaxis")}
    return {"data": traces, "layout": layout | axes | common}


def escaped(text: str) -> str:
    """Return text on one line with its markup escaped, because plotly renders HTML tags."""
    return html.escape(" ".join(text.split()), quote=False)


def short_label(text: str) -> str:
    """Return an escaped axis label, truncated to MAX_LABEL_LENGTH."""
    return escaped(text if len(text) <= MAX_LABEL_LENGTH else text[: MAX_LABEL_LENGTH - 1] + "…")


def option_color(name: str) -> str:
    """Return the hex color of an option; gray if its color is unknown."""
    return name if _HEX.fullmatch(name) else COLORS.get(name, COLORS["gray"])


def faded(color: str) -> str:
    """Return a transparent variant of a hex color; unlike `opacity`, it leaves the text beside the bar opaque."""
    red, green, blue = (int(color[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.38)"


def tick_values(highest: float) -> list[float]:
    """Return up to four round numbers from the first step to the highest value."""
    if highest <= 0:
        return []
    magnitude = 10 ** (len(str(int(highest))) - 1)
    step = next(factor * magnitude for factor in (0.5, 1, 2, 5) if highest / (factor * magnitude) < 4)
    return [number * step for number in range(1, int(highest / step) + 1)]
