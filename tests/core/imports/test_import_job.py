"""Imports in the background: run by the plan and the rights of the person who started them, whole or not at all."""

from collections.abc import Callable
from io import BytesIO

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.access import Access
from core.base.actor import Actor
from core.base.errors import NotAllowed, NotFound
from core.base.permissions import Level
from core.imports.import_job import IMPORT, NewSheet, _plan_from_json, _plan_to_json, enqueue_import
from core.imports.inspection import inspect
from core.imports.plan import propose
from core.imports.plan_types import OnMisfit
from core.jobs.own_jobs import cancel_own_job, own_job
from core.jobs.worker import run_due
from core.sharing.shares import share_sheet, unshare_sheet
from db.engine import transaction

CSV = b"Deal;Stage;Amount;Expected close;Region\nAcme;Lead;1.200,50;31.12.2026;North\nGlobex;Won;99;01.02.2026;South\n"
Loses = Callable[[Session, Actor, int, int], None]


def count(session: Session) -> int:
    return int(session.scalar(text("SELECT count(*) FROM rows")) or 0)


def test_a_plan_comes_back_from_the_queue_as_it_was(session: Session, deals: Access) -> None:
    for access in (deals, None):
        plan = propose(inspect(BytesIO(CSV)), access).changed(1, labels=("New",), on_misfit=OnMisfit.SKIP)
        assert _plan_from_json(_plan_to_json(plan)) == plan


def test_an_import_is_enqueued_by_those_alone_who_may_import(
    session: Session, deals: Access, ben: Actor, cleo: Actor, dan: Actor
) -> None:
    file, sheet_id = BytesIO(CSV), deals.sheet.sheet_id
    with pytest.raises(NotAllowed):
        enqueue_import(session, cleo, sheet_id, file, propose(inspect(file), deals))
    with pytest.raises(NotFound):
        enqueue_import(session, dan, sheet_id, file, propose(inspect(file), deals))
    with pytest.raises(NotAllowed):  # The plan makes a column.
        enqueue_import(session, ben, sheet_id, file, propose(inspect(file), deals))


def deactivate(session: Session, _ann: Actor, _sheet_id: int, user_id: int) -> None:
    session.execute(text("UPDATE users SET is_active = false WHERE user_id = :user"), {"user": user_id})


def lower(session: Session, ann: Actor, sheet_id: int, user_id: int) -> None:
    share_sheet(session, ann, sheet_id, user_id, level=Level.VIEWER)


@pytest.mark.parametrize("loses", [deactivate, unshare_sheet, lower])
def test_rights_are_those_of_the_moment_in_which_it_runs(
    session: Session, deals: Access, ann: Actor, ben: Actor, loses: Loses
) -> None:
    file = BytesIO(b"Deal\nAcme\n")
    job_id = enqueue_import(session, ben, deals.sheet.sheet_id, file, propose(inspect(file), deals))
    loses(session, ann, deals.sheet.sheet_id, ben.user_id)
    run_due([IMPORT], transaction)
    assert own_job(session, ben, job_id).state == "failed"
    assert count(session) == 0


def test_the_outcome_of_a_new_sheet_is_its_report(session: Session, ann: Actor) -> None:
    file = BytesIO(CSV)
    job_id = enqueue_import(session, ann, NewSheet("Imported"), file, propose(inspect(file), None))
    run_due([IMPORT], transaction)
    job = own_job(session, ann, job_id)
    assert (job.state, job.outcome, job.progress) == ("done", "2 rows imported.", 0.0)
    assert job.details
    assert job.details["rows"] == count(session) == 2
    assert session.scalar(text("SELECT count(*) FROM job_files")) == 0


def test_a_job_is_cancelled_by_its_person_alone(session: Session, ann: Actor, ben: Actor) -> None:
    file = BytesIO(CSV)
    job_id = enqueue_import(session, ann, NewSheet("Imported"), file, propose(inspect(file), None))
    with pytest.raises(NotFound):
        cancel_own_job(session, ben, job_id)
    cancel_own_job(session, ann, job_id)
    assert run_due([IMPORT], transaction) == 0
