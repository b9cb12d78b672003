"""Shared views in any order of events: each person sees what everybody has, with their own changes over it."""

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from core.access.load import get_access
from core.base.errors import Conflict
from core.views import edit_views
from core.views.settings import EMPTY
from core.views.views import ViewInfo, get_view
from tests.conftest import actor, make_deals, rolled_back

PEOPLE = st.sampled_from(["Ann", "Ben"])
VALUES: dict[str, list[Any]] = {
    "filter": [[], [{"column": 4, "op": "gt", "value": "1000"}], [{"column": 1, "op": "is_not_empty", "value": None}]],
    "sort": [[], [{"column": 1, "descending": False}], [{"column": 4, "descending": True}]],
    "hidden": [[], [2], [2, 4]],
    "widths": [{}, {"1": 300}],
    "frozen": [1, 2],
}
CHANGES = st.sampled_from([*VALUES]).flatmap(lambda key: st.sampled_from(VALUES[key]).map(lambda value: {key: value}))


class Views(RuleBasedStateMachine):
    """A model of one view for everyone: its settings, and for each person their changes and what they were made on."""

    session: Session

    @initialize()
    def make(self) -> None:
        self.scene = self.session.begin_nested()
        self.sheet = make_deals(self.session).sheet.sheet_id
        view = edit_views.create_view(self.session, actor("Ann"), self.sheet, "Shared", is_shared=True)
        self.view, self.version = view.view_id, view.version
        self.stored: dict[str, Any] = {}
        self.own: dict[str, dict[str, Any]] = {"Ann": {}, "Ben": {}}
        self.base: dict[str, int] = {}

    def seen(self, who: str) -> ViewInfo:
        return get_view(self.session, get_access(self.session, actor(who), self.sheet), self.view)

    @rule(who=PEOPLE, changes=CHANGES)
    def change(self, who: str, changes: dict[str, Any]) -> None:
        edit_views.change_settings(self.session, actor(who), self.sheet, self.view, changes)
        had_changes = bool(self.own[who])
        merged = self.own[who] | changes
        self.own[who] = {key: value for key, value in merged.items() if value != self.stored.get(key, EMPTY[key])}
        if not had_changes:
            self.base[who] = self.version

    @rule(who=PEOPLE)
    def discard(self, who: str) -> None:
        edit_views.discard_changes(self.session, actor(who), self.sheet, self.view)
        self.own[who] = {}

    @rule(who=PEOPLE, is_sure=st.booleans())
    def save(self, who: str, is_sure: bool) -> None:
        differing = {k: v for k, v in self.own[who].items() if v != self.stored.get(k, EMPTY[k])}
        is_behind = bool(differing) and self.base[who] != self.version
        version = self.version if is_sure else None
        if is_behind and not is_sure:
            with pytest.raises(Conflict):
                edit_views.save_for_everyone(self.session, actor(who), self.sheet, self.view)
            return
        edit_views.save_for_everyone(self.session, actor(who), self.sheet, self.view, version=version)
        if differing:
            self.stored |= differing
            self.version += 1
            self.own[who] = {}

    @invariant()
    def each_sees_their_own_over_what_everybody_has(self) -> None:
        for who, own in self.own.items():
            view = self.seen(who)
            assert (view.settings, view.version) == (self.stored, self.version)
            assert {key: view.shown.get(key, EMPTY[key]) for key in VALUES} == {
                key: (self.stored | own).get(key, EMPTY[key]) for key in VALUES
            }

    def teardown(self) -> None:
        if hasattr(self, "scene"):
            self.scene.rollback()
            self.session.expunge_all()


def test_nobody_loses_changes_in_any_order_of_events(shared_engine: Engine) -> None:
    with rolled_back(shared_engine) as session:

        class OnDatabase(Views):
            pass

        OnDatabase.session = session
        run_state_machine_as_test(
            OnDatabase,
            settings=settings(
                max_examples=25,
                stateful_step_count=15,
                deadline=None,
                suppress_health_check=[*HealthCheck],
            ),
        )
