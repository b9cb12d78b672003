"""Views: shared ones are everybody's, what one changes on them is one's own until it is saved for everyone."""

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.load import get_access
from core.base.actor import Actor
from core.base.errors import Conflict, Invalid, NotAllowed, NotFound
from core.sharing.public_links import create_link
from core.sheets.columns import limit_column
from core.views import edit_views
from core.views.views import ViewInfo, first_view, get_view, last_view, views
from tests.conftest import actor

DEAL, ACCOUNT, STAGE, AMOUNT = range(1, 5)
BIG = [{"column": AMOUNT, "op": "gt", "value": "1000"}]
BY_DEAL = [{"column": DEAL, "descending": False}]


@pytest.fixture
def sheet(deals: Access) -> int:
    return deals.sheet.sheet_id


@pytest.fixture
def shared(session: Session, sheet: int, ann: Actor) -> int:
    """A view for everyone, beside the first."""
    return edit_views.create_view(session, ann, sheet, "Big deals", settings={"filter": BIG}, is_shared=True).view_id


def seen(session: Session, who: str, sheet: int, view_id: int) -> ViewInfo:
    return get_view(session, get_access(session, actor(who), sheet), view_id)


def listed(session: Session, who: str, sheet: int) -> list[str]:
    return [view.name for view in views(session, get_access(session, actor(who), sheet))]


def test_a_new_sheet_has_one_view_for_everyone(session: Session, sheet: int) -> None:
    view = first_view(session, get_access(session, actor("Cleo"), sheet))
    assert (view.name, view.kind, view.is_shared, view.shown) == ("All rows", "grid", True, {})


def test_views_for_everyone_come_first_and_ones_own_are_nobody_elses(
    session: Session, sheet: int, shared: int, cleo: Actor
) -> None:
    own = edit_views.create_view(session, cleo, sheet, "Big deals")
    assert listed(session, "Cleo", sheet) == ["All rows", "Big deals", "Big deals"]
    assert listed(session, "Ann", sheet) == ["All rows", "Big deals"]
    for command in (edit_views.delete_view, edit_views.discard_changes, edit_views.duplicate_view):
        with pytest.raises(NotFound):
            command(session, actor("Ann"), sheet, own.view_id)


def test_what_one_changes_on_a_view_of_everybody_is_ones_own(session: Session, sheet: int, shared: int) -> None:
    ben = edit_views.change_settings(session, actor("Ben"), sheet, shared, {"sort": BY_DEAL})
    assert (ben.changes, ben.shown, ben.has_changes) == ({"sort": BY_DEAL}, {"filter": BIG, "sort": BY_DEAL}, True)
    assert seen(session, "Cleo", sheet, shared).shown == {"filter": BIG}
    assert edit_views.discard_changes(session, actor("Ben"), sheet, shared).shown == {"filter": BIG}


def test_a_change_that_is_taken_back_is_none(session: Session, sheet: int, shared: int, ben: Actor) -> None:
    edit_views.change_settings(session, ben, sheet, shared, {"filter": [], "hidden": [ACCOUNT], "sort": BY_DEAL})
    edit_views.change_settings(session, ben, sheet, shared, {"filter": BIG, "hidden": [], "sort": None})
    assert not seen(session, "Ben", sheet, shared).changes


def test_a_wider_column_alone_is_no_change_that_one_is_asked_about(
    session: Session, sheet: int, shared: int, ben: Actor
) -> None:
    view = edit_views.change_settings(session, ben, sheet, shared, {"widths": {str(DEAL): 300}})
    assert (view.changes, view.has_changes) == ({"widths": {str(DEAL): 300}}, False)


def test_what_is_saved_for_everyone_is_everybodys_and_others_keep_their_own(
    session: Session, sheet: int, shared: int, ben: Actor, cleo: Actor
) -> None:
    edit_views.change_settings(session, cleo, sheet, shared, {"hidden": [ACCOUNT]})
    edit_views.change_settings(session, ben, sheet, shared, {"sort": BY_DEAL})
    saved = edit_views.save_for_everyone(session, ben, sheet, shared)
    assert (saved.settings, saved.changes, saved.changed_by) == ({"filter": BIG, "sort": BY_DEAL}, {}, "Ben")
    assert seen(session, "Ann", sheet, shared).shown == saved.settings
    assert seen(session, "Cleo", sheet, shared).shown == saved.settings | {"hidden": [ACCOUNT]}
    with pytest.raises(NotAllowed):
        edit_views.save_for_everyone(session, cleo, sheet, shared)


def test_the_second_of_two_who_save_is_told_and_decides(
    session: Session, sheet: int, shared: int, ann: Actor, ben: Actor
) -> None:
    for who, sort in ((ann, BY_DEAL), (ben, [{"column": AMOUNT, "descending": True}])):
        edit_views.change_settings(session, who, sheet, shared, {"sort": sort})
    edit_views.save_for_everyone(session, ann, sheet, shared)
    with pytest.raises(Conflict, match="Ann has saved “Big deals” for everyone since you changed it") as conflict:
        edit_views.save_for_everyone(session, ben, sheet, shared)
    assert seen(session, "Ann", sheet, shared).shown["sort"] == BY_DEAL
    assert seen(session, "Ben", sheet, shared).changes["sort"] == [{"column": AMOUNT, "descending": True}]
    over = edit_views.save_for_everyone(session, ben, sheet, shared, version=conflict.value.facts["version"])
    assert over.settings["sort"] == [{"column": AMOUNT, "descending": True}]


def test_ones_own_view_is_saved_as_one_changes_it(session: Session, sheet: int, cleo: Actor) -> None:
    view = edit_views.create_view(session, cleo, sheet, "Mine")
    view = edit_views.change_settings(session, cleo, sheet, view.view_id, {"filter": BIG})
    assert (view.settings, view.changes) == ({"filter": BIG}, {})
    with pytest.raises(NotAllowed):
        edit_views.save_for_everyone(session, cleo, sheet, view.view_id)
    with pytest.raises(NotAllowed):
        edit_views.share_view(session, cleo, sheet, view.view_id, is_shared=True)


def test_a_change_on_a_version_that_is_not_the_newest_is_not_saved_over_it(
    session: Session, sheet: int, shared: int, ann: Actor, ben: Actor
) -> None:
    shown = seen(session, "Ann", sheet, shared).version
    edit_views.change_settings(session, ben, sheet, shared, {"hidden": [ACCOUNT]})
    edit_views.save_for_everyone(session, ben, sheet, shared)
    view = edit_views.change_settings(session, ann, sheet, shared, {"widths": {str(DEAL): 300}}, base=shown)
    assert view.shown["hidden"] == [ACCOUNT]
    with pytest.raises(Conflict):
        edit_views.save_for_everyone(session, ann, sheet, shared)


def test_a_copy_has_what_one_sees_and_is_ones_own(session: Session, sheet: int, shared: int, cleo: Actor) -> None:
    edit_views.change_settings(session, cleo, sheet, shared, {"sort": BY_DEAL})
    copies = [edit_views.duplicate_view(session, cleo, sheet, shared) for _ in range(2)]
    assert [(copy.name, copy.is_shared) for copy in copies] == [("Big deals", False), ("Big deals (2)", False)]
    assert copies[0].settings == {"filter": BIG, "sort": BY_DEAL}


def test_a_view_is_shared_and_taken_back(session: Session, sheet: int, shared: int, ben: Actor, cleo: Actor) -> None:
    edit_views.change_settings(session, cleo, sheet, shared, {"sort": BY_DEAL})
    own = edit_views.share_view(session, ben, sheet, shared, is_shared=False)
    assert (own.is_shared, own.settings) == (False, {"filter": BIG})
    with pytest.raises(NotFound):
        seen(session, "Cleo", sheet, shared)
    edit_views.share_view(session, ben, sheet, shared, is_shared=True)
    assert seen(session, "Cleo", sheet, shared).shown == {"filter": BIG}


def test_a_sheet_keeps_a_view_for_everyone(session: Session, sheet: int, shared: int, ann: Actor) -> None:
    edit_views.delete_view(session, ann, sheet, shared)
    edit_views.create_view(session, ann, sheet, "By stage", kind="board", settings={"column": STAGE}, is_shared=True)
    first = first_view(session, get_access(session, ann, sheet)).view_id
    with pytest.raises(Invalid, match="“All rows” is the only grid for everyone"):
        edit_views.delete_view(session, ann, sheet, first)
    with pytest.raises(Invalid, match="the only grid for everyone"):
        edit_views.share_view(session, ann, sheet, first, is_shared=False)


@pytest.mark.parametrize(
    ("name", "reason"), [("  ", "needs a name"), ("x" * 61, "at most 60"), ("big DEALS", "already")]
)
def test_a_name_that_cannot_be_is_refused(session: Session, sheet: int, shared: int, name: str, reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        edit_views.create_view(session, actor("Ann"), sheet, name, is_shared=True)
    first = first_view(session, get_access(session, actor("Ann"), sheet)).view_id
    with pytest.raises(Invalid, match=reason):
        edit_views.rename_view(session, actor("Ann"), sheet, first, name)


def test_views_are_put_in_order_by_those_who_may(session: Session, sheet: int, shared: int, cleo: Actor) -> None:
    mine = [edit_views.create_view(session, cleo, sheet, name).view_id for name in ("One", "Two")]
    edit_views.reorder_views(session, cleo, sheet, [mine[1]])
    assert listed(session, "Cleo", sheet) == ["All rows", "Big deals", "Two", "One"]
    with pytest.raises(NotAllowed):
        edit_views.reorder_views(session, cleo, sheet, [shared])
    edit_views.reorder_views(session, actor("Ben"), sheet, [shared])
    assert listed(session, "Cleo", sheet) == ["Big deals", "All rows", "Two", "One"]


def test_the_view_opened_last_is_opened_again(session: Session, sheet: int, shared: int, cleo: Actor) -> None:
    own = edit_views.create_view(session, cleo, sheet, "Mine").view_id
    for view_id in (shared, own, shared):
        edit_views.remember_view(session, cleo, sheet, view_id)
        assert last_view(views(session, get_access(session, cleo, sheet))).view_id == view_id
    assert last_view(views(session, get_access(session, actor("Ben"), sheet))).name == "All rows"
    edit_views.delete_view(session, actor("Ann"), sheet, shared)
    assert last_view(views(session, get_access(session, cleo, sheet))).view_id == own


def test_what_the_public_sees_is_changed_by_those_who_may_share(
    session: Session, sheet: int, shared: int, ann: Actor, ben: Actor
) -> None:
    create_link(session, ann, sheet, view=shared)
    session.execute(text("UPDATE public_links SET expires_at = now() - interval '1 day'"))  # It can be extended.
    edit_views.change_settings(session, ben, sheet, shared, {"filter": []})
    for command in (edit_views.save_for_everyone, edit_views.delete_view):
        with pytest.raises(NotAllowed, match="A public link shows “Big deals”"):
            command(session, ben, sheet, shared)
    with pytest.raises(NotAllowed, match="A public link shows"):
        edit_views.share_view(session, ben, sheet, shared, is_shared=False)
    edit_views.change_settings(session, ann, sheet, shared, {"hidden": [ACCOUNT]})
    assert edit_views.save_for_everyone(session, ann, sheet, shared).settings["hidden"] == [ACCOUNT]


def test_who_does_not_see_a_column_does_not_lose_what_a_view_does_with_it(
    session: Session, sheet: int, shared: int, ann: Actor, ben: Actor
) -> None:
    edit_views.change_settings(session, ann, sheet, shared, {"hidden": [AMOUNT], "widths": {str(AMOUNT): 90}})
    edit_views.save_for_everyone(session, ann, sheet, shared)
    limit_column(session, ann, sheet, AMOUNT, {"editor": "hidden"})
    assert str(AMOUNT) not in str(seen(session, "Ben", sheet, shared).as_json()["settings"].get("filter"))
    edit_views.change_settings(session, ben, sheet, shared, {"hidden": [ACCOUNT], "widths": {str(DEAL): 300}})
    saved = edit_views.save_for_everyone(session, ben, sheet, shared)
    assert (saved.settings["hidden"], saved.settings["widths"]) == ([ACCOUNT], {str(DEAL): 300})
    whole = seen(session, "Ann", sheet, shared).settings
    assert (sorted(whole["hidden"]), whole["widths"]) == ([ACCOUNT, AMOUNT], {str(AMOUNT): 90, str(DEAL): 300})
    edit_views.change_settings(session, ben, sheet, shared, {"filter": [{"column": DEAL, "op": "is_not_empty"}]})
    with pytest.raises(Invalid, match="uses a column that you don't see"):
        edit_views.save_for_everyone(session, ben, sheet, shared)
    with pytest.raises(Invalid, match="uses a column that you don't see"):
        edit_views.share_view(session, ben, sheet, shared, is_shared=False)
    assert seen(session, "Ann", sheet, shared).settings["filter"] == BIG


def test_an_archived_sheet_keeps_its_views_as_they_are(session: Session, sheet: int, shared: int, ann: Actor) -> None:
    session.execute(text("UPDATE sheets SET archived_at = now() WHERE sheet_id = :sheet"), {"sheet": sheet})
    with pytest.raises(NotAllowed, match="archived"):
        edit_views.rename_view(session, ann, sheet, shared, "Other")
