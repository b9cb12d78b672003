"""How charts look and how they write: one restrained style, amounts at a glance, cell text letter by letter."""

import html
import re
from decimal import Decimal
from typing import Any, Self

from core.accounts.locale import Locale
from pages.components.app.format import with_separators

Chart = dict[str, Any]  # The traces (`data`) and the `layout` of a chart, by plotly's schema.

# Tones that are read on light and on dark ground.
WON, LOST, OPEN, RATE = "#3f9a63", "#c9564d", "#7d98a6", "#24918b"
NAMED = {
    "gray": "#8d9ca6",
    "blue": "#4a86c5",
    "violet": "#8a74c9",
    "orange": "#d98a3d",
    "green": "#3f9a63",
    "red": "#c9564d",
    "yellow": "#c9a227",
}
HEIGHT = 320
LONGEST_LABEL = 26
SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥"}
SIZES = ((10**9, " bn"), (10**6, " M"), (10**3, " k"))
_HEX = re.compile(r"#[0-9a-fA-F]{6}")


class Currency(str):
    """The name of a currency, which carries along how the person likes numbers, and whether they are shown amounts."""

    __slots__ = ("has_amounts", "number_format")
    number_format: str
    has_amounts: bool

    @classmethod
    def of(cls, name: str, locale: Locale, *, has_amounts: bool = True) -> Self:
        """A currency as this person reads its amounts. Without amounts, every sum of them would be a false zero."""
        made = cls(name)
        made.number_format = locale.number_format
        made.has_amounts = has_amounts
        return made


def styled(traces: list[dict[str, Any]], layout: dict[str, Any], *, height: int = HEIGHT) -> Chart:
    """Return a chart in the common look. `uirevision` keeps what a reader hid in the legend over a refresh."""
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


def money(amount: Decimal, currency: str) -> str:
    """An amount at a glance: € 1.2 M, € 340 k, € 950."""
    sign = SYMBOLS.get(currency, currency)
    # What would be rounded to a thousand of a size is written in the next one.
    size, mark = next(((size, mark) for size, mark in SIZES if abs(amount) >= size * Decimal("0.9995")), (1, ""))
    shown = amount / size
    places = 1 if mark and abs(shown) < Decimal("99.95") else 0
    return marked(f"{sign} {shown:.{places}f}{mark}".strip(), currency)


def marked(text: str, style: str) -> str:
    """Return text whose numbers are written like 1,234.5 in the number format of the style (a Currency)."""
    return with_separators(text, getattr(style, "number_format", "1,234.5"))


def whole(count: int, style: str) -> str:
    """A number of things: 1,234."""
    return marked(f"{count:,}", style)


def percent(rate: Decimal | None) -> str:
    """A rate from 0 to 1 as a whole percentage; a dash where there is none."""
    return "–" if rate is None else f"{rate:.0%}"


def literal(text: str) -> str:
    """Text letter by letter: plotly would read markup in it."""
    return html.escape(" ".join(text.split()), quote=False)


def short(text: str) -> str:
    """A label beside an axis, which has little room."""
    return literal(text if len(text) <= LONGEST_LABEL else text[: LONGEST_LABEL - 1] + "…")


def color_of(name: str) -> str:
    """An option's colour; gray where it has none that can be drawn."""
    return name if _HEX.fullmatch(name) else NAMED.get(name, NAMED["gray"])


def faded(color: str) -> str:
    """The colour with the ground shining through; the text beside it stays as it is."""
    red, green, blue = (int(color[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.38)"


def steps(highest: float) -> list[float]:
    """A few round numbers up to the highest, for the ticks of an axis."""
    if highest <= 0:
        return []
    size = 10 ** (len(str(int(highest))) - 1)
    step = next(factor * size for factor in (0.5, 1, 2, 5) if highest / (factor * size) < 4)
    return [place * step for place in range(1, int(highest / step) + 1)]
