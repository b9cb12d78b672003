"""Columns that depend on another sheet: what a relation may point to, and the mirror that shows it there."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.access import HIDDEN, Access, ColumnInfo
from core.access.load import get_access
from core.base import audit
from core.base.actor import Actor
from core.base.errors import Invalid, Refused
from core.base.permissions import Permission
from core.column_types import LOOKUP_TYPES, Mirror, Relation, column_type
from core.column_types.lookup import COUNT, FIRST, LOOKUP, SHOWN_BY, LookupTypes
from core.computed.lookup import reads_other_sheet

NO_SHEET = "Choose the sheet that this relation points to: one that is shared with you and not archived."


def check_new(session: Session, actor: Actor, type_name: str, rules: Mapping[str, Any]) -> None:
    """Check that a new column may depend on the sheet that it names. Raises Invalid."""
    if type_name == Mirror.name:
        raise Invalid("A mirror is made together with its relation: add a relation in the other sheet.")
    if type_name != Relation.name:
        return
    if rules.get("mirror") is not None:
        raise Invalid("The mirror of a relation is made together with it: leave it out.")
    if type(rules.get("sheet")) is not int:
        raise Invalid(NO_SHEET)
    try:
        target = get_access(session, actor, rules["sheet"], Permission.ROWS_SEE)
    except Refused as refusal:
        raise Invalid(NO_SHEET) from refusal
    if target.sheet.archived_at is not None:
        raise Invalid(f"“{target.sheet.name}” is archived. Restore it first, or choose another sheet.")


def settled_lookup(access: Access, rules: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the type and rules to store for a new lookup, which has the values of the column that it shows.

    Raises Invalid where it has no relation or no column that the person sees, or cannot be summed up like this.
    """
    relation = access.by_id.get(rules.get("relation") or 0)
    if relation is None or not column_type(relation.type).names_rows:
        raise Invalid("Choose the relation of this sheet over which the column is looked up.")
    target = access.related(relation.rules["sheet"])
    if target is None:
        raise Invalid(f"The sheet that “{relation.name}” points to is archived, or not shared with you.")
    column = target.by_id.get(rules.get("column") or 0)
    if column is None:
        raise Invalid(f"Choose a column of “{target.sheet.name}” to look up.")
    if reads_other_sheet(target, column):
        raise Invalid(
            f"“{column.name}” is itself computed from another sheet, so it cannot be looked up. Choose another column."
        )
    summary = rules.get("summary") or FIRST
    result_type = LookupTypes.chosen(column_type(column.type), summary)
    shown_by = {rule.key for rule in column_type(result_type).takes if rule in SHOWN_BY}
    own = {} if summary == COUNT else {key: value for key, value in column.rules.items() if key in shown_by}
    return result_type, {**own, **rules, "summary": summary}


def check_lookups(access: Access, column: ColumnInfo, type_name: str) -> None:
    """Raise Invalid naming a lookup of any sheet that could not show the column any more if it had this type."""
    before, after = column_type(column.type), column_type(type_name)
    for found in access.session.execute(_LOOKUPS, {"sheet": access.sheet.sheet_id, "column": column.column_id}):
        summary = found.rules.get("summary", FIRST)
        if LookupTypes.fits(found.type, before, summary) and not LookupTypes.fits(found.type, after, summary):
            other = access.related(found.sheet_id)
            lookup = other.by_id.get(found.column_id) if other else None
            name = f"“{lookup.name}” in “{other.sheet.name}”" if lookup and other else "A lookup of another sheet"
            raise Invalid(f"{name} shows “{column.name}” as {before.label.lower()}. Retire that lookup first.")


def carry_currency(session: Session, sheet_id: int, column: ColumnInfo) -> list[int]:
    """Give the lookups of a column the currency that it has now, and return their sheets."""
    parameters = {"sheet": sheet_id, "column": column.column_id, "currency": column.rules.get("currency")}
    return sorted(set(session.scalars(_CARRY_CURRENCY, parameters)))


def is_lookup(type_name: str) -> bool:
    """Return whether this is a type of lookups, or the name for whichever type the looked-up column gives."""
    return type_name == LOOKUP or type_name in LOOKUP_TYPES


def is_relation(type_name: str) -> bool:
    """Return whether a column of this type stores related rows."""
    return type_name == Relation.name


def mirror_name(access: Access, target: Access, relation: ColumnInfo) -> str:
    """Return a free name for the mirror of a relation: that of the sheet whose rows it shows."""
    is_own = access.sheet.sheet_id == target.sheet.sheet_id
    name = f"{relation.name[:100]} of" if is_own else access.sheet.name[:100]
    used = {column.name.casefold() for column in (*target.every_column, relation)}
    names = (name, *(f"{name} {number}" for number in range(2, len(used) + 3)))
    return next(name for name in names if name.casefold() not in used)


def mirror_of(column: ColumnInfo) -> tuple[int, int] | None:
    """Return the sheet and column of a relation's mirror; None where the column has none."""
    if column.type != Relation.name or "mirror" not in column.rules:
        return None
    return column.rules["sheet"], column.rules["mirror"]


def retire_mirror(session: Session, actor: Actor, sheet_id: int, column_id: int) -> None:
    """Retire the mirror of a relation that is retired in the same transaction, and record it in the mirror's sheet."""
    name = session.scalar(_RETIRE_MIRROR, {"sheet": sheet_id, "column": column_id})
    if name is not None:
        audit.record(session, actor, "sheet:column:retire", sheet_id=sheet_id, column=column_id, name=name)


def restore_mirror(session: Session, actor: Actor, sheet_id: int, column_id: int) -> None:
    """Restore the mirror that went with its relation, under a free name, before the relation itself.

    A mirror that somebody retired in its own sheet stays retired.
    """
    name = session.scalar(_RESTORE_MIRROR, {"sheet": sheet_id, "column": column_id})
    if name is not None:
        audit.record(session, actor, "sheet:column:restore", sheet_id=sheet_id, column=column_id, name=name)


def refuse_without_relation(session: Session, access: Access, column: ColumnInfo) -> None:
    """Raise Invalid for a mirror whose relation is retired, naming what this person may know of."""
    if column.type != Mirror.name:
        return
    parameters = {"sheet": column.rules["sheet"], "column": column.rules["relation"]}
    if relation := session.execute(_RETIRED, parameters).one_or_none():
        related = access.related(column.rules["sheet"])
        if related is None or any(relation.limits.get(audience) == HIDDEN for audience in related.audiences):
            raise Invalid("The relation of this mirror is retired in its own sheet. It has to be restored there first.")
        raise Invalid(f"Restore the relation “{relation.column_name}” in “{relation.sheet_name}” first.")


_IS_LOOKUP = """
    r.sheet_id = l.sheet_id AND l.type LIKE 'lookup\\_%' AND l.rules ->> 'relation' = CAST(r.column_id AS text)
    AND r.rules ->> 'sheet' = CAST(:sheet AS text) AND l.rules ->> 'column' = CAST(:column AS text)
"""
_LOOKUPS = text(f"""
    SELECT l.sheet_id, l.column_id, l.type, l.rules FROM columns l, columns r
    WHERE {_IS_LOOKUP} AND l.retired_at IS NULL
    ORDER BY l.sheet_id, l.column_id
""")  # noqa: S608 - the condition above.
_CARRY_CURRENCY = text(f"""
    UPDATE columns l SET rules = l.rules || jsonb_build_object('currency', CAST(:currency AS text)) FROM columns r
    WHERE {_IS_LOOKUP} AND l.rules ? 'currency'
    RETURNING l.sheet_id
""")  # noqa: S608 - the condition above.
_RETIRE_MIRROR = text("""
    UPDATE columns SET retired_at = now()
    WHERE sheet_id = :sheet AND column_id = :column AND retired_at IS NULL RETURNING name
""")
# Both were retired at one moment. A column of the same name may have been added meanwhile.
_RESTORE_MIRROR = text("""
    UPDATE columns k SET retired_at = NULL, name = CASE
        WHEN EXISTS (SELECT FROM columns o
                     WHERE o.sheet_id = k.sheet_id AND o.retired_at IS NULL AND lower(o.name) = lower(k.name))
        THEN left(k.name, 100) || ' ' || k.column_id ELSE k.name END
    WHERE k.sheet_id = :sheet AND k.column_id = :column AND k.retired_at = (
        SELECT r.retired_at FROM columns r
        WHERE r.sheet_id = CAST(k.rules ->> 'sheet' AS bigint)
          AND r.column_id = CAST(k.rules ->> 'relation' AS bigint))
    RETURNING k.name
""")
_RETIRED = text("""
    SELECT k.name AS column_name, k.limits, s.name AS sheet_name FROM columns k JOIN sheets s USING (sheet_id)
    WHERE k.sheet_id = :sheet AND k.column_id = :column AND k.retired_at IS NOT NULL
""")
