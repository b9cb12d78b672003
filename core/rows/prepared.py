"""Prepared expressions: SQL that is composed once for a definition of columns and used by every statement after it.

Eight formulas take longer to compose than a page of their cells takes to read. Their values stay bound parameters.
"""

import re
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Any

from sqlalchemy import ColumnElement, TextClause, bindparam, select, text, type_coerce
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB

from core.access.access import Access
from db.tables.sheets import Row

MAX_PREPARED = 500
_PARAMETER = re.compile(r"%\((\w+)\)s")
_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


class _Prepared:
    """The prepared expressions of this process, the least used dropped first."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._clauses: OrderedDict[Any, tuple[Any, TextClause]] = OrderedDict()

    def get(self, key: Any, columns: Any) -> TextClause | None:
        """Return the expression of a key, if it was composed of these very columns."""
        with self._lock:
            made_of, clause = self._clauses.get(key, (None, None))
            if made_of is not columns:
                return None
            self._clauses.move_to_end(key)
            return clause

    def put(self, key: Any, columns: Any, clause: TextClause) -> None:
        with self._lock:
            self._clauses[key] = columns, clause
            if len(self._clauses) > MAX_PREPARED:
                self._clauses.popitem(last=False)


_prepared = _Prepared()


def prepared(access: Access, key: tuple[int, ...], compose: Callable[[], ColumnElement[Any]]) -> ColumnElement[Any]:
    """Return the JSON expression that `compose` makes for an access and a key, composed once for its columns."""
    full_key = access.scope, access.today, access.time_zone, key
    clause = _prepared.get(full_key, access.every_column)
    if clause is None:
        clause = _as_clause(compose())
        _prepared.put(full_key, access.every_column, clause)
    return type_coerce(clause, JSONB())


def _as_clause(expression: ColumnElement[Any]) -> TextClause:
    """Return the expression as one clause with its parameters, which are named so that no others have their names."""
    # As a part of a statement over the rows: alone, a subquery would not know that it belongs to one of them.
    statement = select(expression.label("prepared")).select_from(Row.__table__)
    compiled = statement.compile(dialect=_DIALECT)
    parts = _PARAMETER.split(str(compiled).removeprefix("SELECT ").removesuffix(" AS prepared \nFROM rows"))
    names = {name: f"cell_{number}" for number, name in enumerate(dict.fromkeys(parts[1::2]))}
    pieces = [
        f" :{names[part]} " if index % 2 else part.replace("%%", "%").replace("\\", "\\\\").replace(":", "\\:")
        for index, part in enumerate(parts)
    ]
    binds = {name: compiled.binds[name] for name in names}
    parameters = [bindparam(names[name], bind.effective_value, type_=bind.type) for name, bind in binds.items()]
    return text("".join(pieces)).bindparams(*parameters)
