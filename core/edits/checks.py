"""Checks of a planned batch beyond the values of single cells. Each moves what it refuses to the refusals.

A further rule (required fields of a stage, a related row that must exist) is its function and one entry of CHECKS.
"""

from collections.abc import Callable

from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.row_ownership import assign_default_owner, unassign_refusal
from core.base.errors import Invalid
from core.edits.plan_types import EditPlan
from core.edits.unique import refuse_duplicates


def check_ownership(session: Session, access: Access, plan: EditPlan) -> None:
    """People who see only some rows keep an owner in each of them, and new rows get one."""
    del session
    if access.owners is None:
        return
    owner = access.sheet.owner_column
    for row, column in [cell for cell, value in plan.edits.items() if cell[1] == owner and value is None]:
        plan.refuse(row, column, unassign_refusal(access))
    for key, values in [*plan.adds.items()]:
        try:
            assign_default_owner(access, values)
        except Invalid as refusal:
            plan.refuse(key, owner or 0, refusal.message)


CHECKS: tuple[Callable[[Session, Access, EditPlan], None], ...] = (check_ownership, refuse_duplicates)


def run_checks(session: Session, access: Access, plan: EditPlan) -> None:
    """Run every check on a plan. The sheet is locked, so what they find stays true until it is written."""
    for check in CHECKS:
        check(session, access, plan)
