"""Lines of the change log in words: what happened to a cell or a row."""

from core.access.access import Access, ColumnInfo
from core.accounts.locale import Locale
from core.history.history import LoggedChange, RowChange
from pages.components.app.format import cell, literal, moment, shortened

SOURCES = {
    "grid": "grid",
    "board": "board",
    "form": "form",
    "api": "API",
    "import": "import",
    "undo": "undo",
    "restore": "restored",
    "column": "change of type",
    "copy": "copy of a sheet",
    "seed": "demo",
}
ROWS = {"add": "row added", "remove": "row deleted", "restore": "row restored"}
LONGEST = 140
# Seeded and imported history says when something really happened; else the clock of the database is meant.
APART_SECONDS = 60


def heading(change: LoggedChange | RowChange, locale: Locale) -> str:
    """Who, when and from where."""
    where = SOURCES.get(change.source, change.source)
    when = moment(change.effective_at, locale)
    recorded = moment(change.recorded_at, locale)
    late = abs((change.recorded_at - change.effective_at).total_seconds()) > APART_SECONDS
    note = f" · recorded {recorded}" if late else ""
    return f"{when} · {where}{note}"


def line(access: Access, change: LoggedChange, locale: Locale) -> str:
    """What a cell was and what it is now, or what became of the row."""
    if change.kind != "edit":
        value = literal(shortened(change.new or change.old, LONGEST))
        return f"{ROWS[change.kind]}{': ' if value else ''}{value}"
    column = access.column(change.column_id)
    old, new = (_value(text, column, locale) for text in (change.old, change.new))
    return f"{literal(column.name)}: {old} :gray[→] {new}"


def lines(access: Access, change: RowChange, locale: Locale) -> list[str]:
    """What one change did to a row: what became of it, then its cells."""
    texts = [] if change.kind == "edit" else [f":gray[{ROWS[change.kind]}]"]
    for cell_change in change.cells:
        column = access.column(cell_change.column_id)
        before = "" if change.kind == "add" else f"{_value(cell_change.old, column, locale)} :gray[→] "
        texts.append(f"{literal(column.name)}: {before}{_value(cell_change.new, column, locale)}")
    return texts


def _value(text: str, column: ColumnInfo, locale: Locale) -> str:
    return literal(shortened(cell(text, column, locale), LONGEST)) if text else ":gray[empty]"
