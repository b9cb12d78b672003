"""Commands on views: create, rename, duplicate, share, reorder and delete them, and change their settings."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.load import get_access
from core.base import audit
from core.base.actor import Actor
from core.base.errors import Conflict, Invalid, NotAllowed
from core.base.permissions import Permission
from core.base.pg_notify import notify_sheet_rights
from core.base.text import clean, folded_key, one_line, quoted
from core.views.settings import BY_COLUMN, EMPTY, Settings, checked_settings, unseen_settings, with_unseen
from core.views.views import ViewInfo, get_view, views
from db.tables.views import StoredView, ViewState

MAX_VIEWS, MAX_NAME = 100, 60


def create_view(
    session: Session,
    actor: Actor,
    sheet_id: int,
    name: str,
    *,
    kind: str = "grid",
    settings: Mapping[str, Any] | None = None,
    is_shared: bool = False,
) -> ViewInfo:
    """Create a view after the others: the actor's own, or everybody's. Raises Invalid and NotAllowed."""
    access = _access(session, actor, sheet_id, is_shared=is_shared)
    listed = _locked_views(session, access)
    same = [view for view in listed if view.is_shared == is_shared]
    if len(same) >= MAX_VIEWS:
        raise Invalid(f"A sheet has at most {MAX_VIEWS} views for everyone, and as many of your own. Delete one first.")
    view = StoredView(
        sheet_id=sheet_id,
        owner_id=None if is_shared else actor.user_id,
        name=_checked_name(name, same),
        kind=kind,
        position=max((view.position for view in same), default=0) + 1,
        settings=checked_settings(access, kind, settings or {}),
        created_by=actor.user_id,
    )
    session.add(view)
    session.flush()
    if is_shared:
        _record(session, access, "sheet:view:create", view.view_id, name=view.name)
    return get_view(session, access, view.view_id)


def duplicate_view(session: Session, actor: Actor, sheet_id: int, view_id: int, *, name: str | None = None) -> ViewInfo:
    """Create a view of the actor's own from a view as they see it, their changes included."""
    access = get_access(session, actor, sheet_id)
    view = get_view(session, access, view_id)
    names = {folded_key(other.name) for other in views(session, access) if not other.is_shared}
    copies = (view.name, *(f"{view.name[: MAX_NAME - 10]} ({number})" for number in range(2, MAX_VIEWS + 3)))
    free = next(copy for copy in copies if folded_key(copy) not in names)
    return create_view(session, actor, sheet_id, name or free, kind=view.kind, settings=view.shown)


def rename_view(session: Session, actor: Actor, sheet_id: int, view_id: int, name: str) -> ViewInfo:
    """Rename a view. Raises Invalid, NotFound and NotAllowed."""
    access, view, listed = _editable(session, actor, sheet_id, view_id)
    same = [other for other in listed if other.is_shared == view.is_shared and other.view_id != view_id]
    new_name = _checked_name(name, same)
    if new_name != view.name:
        session.execute(update(StoredView).where(StoredView.view_id == view_id).values(name=new_name))
        if view.is_shared:
            _record(session, access, "sheet:view:rename", view_id, before=view.name, name=new_name)
    return get_view(session, access, view_id)


def change_settings(
    session: Session, actor: Actor, sheet_id: int, view_id: int, changes: Mapping[str, Any], *, base: int | None = None
) -> ViewInfo:
    """Change settings of a view: on a view of everybody for the actor alone. None takes a change back. Raises Invalid.

    What is set by column stays as it is for those that the actor does not see. `base` is the version that they saw.
    """
    access = get_access(session, actor, sheet_id)
    _locked(session, view_id)
    view = get_view(session, access, view_id)
    reset = {key for key, value in changes.items() if value is None}
    new = checked_settings(access, view.kind, {key: changes[key] for key in set(changes) - reset})
    own = {key: value for key, value in (view.own | new).items() if key not in reset}
    if view.is_shared:
        own = {key: value for key, value in own.items() if value != view.settings.get(key, EMPTY.get(key))}
        _save_changes(session, actor, view, own, base)
    else:
        _require_share_if_linked(session, access, view)
        stored = {key: value for key, value in (view.stored | own).items() if key not in reset}
        _save_settings(session, actor, view, stored)
        notify_sheet_rights(session, sheet_id)
    return get_view(session, access, view_id)


def save_for_everyone(
    session: Session, actor: Actor, sheet_id: int, view_id: int, *, version: int | None = None
) -> ViewInfo:
    """Make the actor's changes those of everybody. Raises Conflict, Invalid, NotFound and NotAllowed.

    `version` is the version of the view that they replace, by default the one that they were made on. Conflict: another
    person has saved the view since; the facts have the version to save over.
    """
    access = _access(session, actor, sheet_id, is_shared=True)
    _locked(session, view_id)
    view = get_view(session, access, view_id)
    if not view.is_shared:
        raise Invalid(f"{quoted(view.name)} is a view of your own: what you change in it is saved at once.")
    if not view.changes:
        return view
    if view.version != (view.base_version if version is None else version):
        raise Conflict(
            f"{view.changed_by} has saved {quoted(view.name)} for everyone since you changed it. "
            "Save yours over it, keep yours as a view of your own, or discard it.",
            version=view.version,
        )
    _require_share_if_linked(session, access, view)
    _save_settings(session, actor, view, _for_everyone(access, view))
    _record(session, access, "sheet:view:change", view_id, name=view.name, changed=sorted(view.changes))
    return get_view(session, access, view_id)


def discard_changes(session: Session, actor: Actor, sheet_id: int, view_id: int) -> ViewInfo:
    """Show the actor a view as everybody has it."""
    access = get_access(session, actor, sheet_id)
    _save_changes(session, actor, get_view(session, access, view_id), {})
    return get_view(session, access, view_id)


def share_view(session: Session, actor: Actor, sheet_id: int, view_id: int, *, is_shared: bool) -> ViewInfo:
    """Make a view everybody's, or a view of everybody the actor's own. Raises Invalid, NotFound and NotAllowed."""
    access = _access(session, actor, sheet_id, is_shared=True)
    listed = _locked_views(session, access)
    view = get_view(session, access, view_id)
    if view.is_shared == is_shared:
        return view
    if not is_shared:
        _refuse_last(listed, view)
        if unseen_settings(access, view.kind, view.stored):
            raise Invalid(f"{quoted(view.name)} uses a column that you don't see. Duplicate it instead.")
    _require_share_if_linked(session, access, view)
    same = [other for other in listed if other.is_shared == is_shared]
    name, position = _checked_name(view.name, same), max((other.position for other in same), default=0) + 1
    values = {"owner_id": None if is_shared else actor.user_id, "position": position, "name": name}
    session.execute(update(StoredView).where(StoredView.view_id == view_id).values(**values))
    if not is_shared:
        session.execute(delete(ViewState).where(ViewState.view_id == view_id, ViewState.user_id != actor.user_id))
    _record(session, access, "sheet:view:share" if is_shared else "sheet:view:unshare", view_id, name=name)
    return get_view(session, access, view_id)


def reorder_views(session: Session, actor: Actor, sheet_id: int, order: Sequence[int]) -> list[ViewInfo]:
    """Put views in the order of these ids, then all others. Moving a view of everybody takes the right to edit them."""
    access = get_access(session, actor, sheet_id)
    listed = _locked_views(session, access)
    by_id = {view.view_id: view for view in listed}
    for view_id in order:
        get_view(session, access, view_id)
    ids = [*dict.fromkeys(order), *(view_id for view_id in by_id if view_id not in order)]
    for is_shared in (True, False):
        before = [view.view_id for view in listed if view.is_shared == is_shared]
        after = [view_id for view_id in ids if by_id[view_id].is_shared == is_shared]
        if before == after:
            continue
        if is_shared:
            access.require(Permission.VIEWS_EDIT)
            notify_sheet_rights(session, sheet_id)
        for position, view_id in enumerate(after, start=1):
            session.execute(update(StoredView).where(StoredView.view_id == view_id).values(position=position))
    return views(session, access)


def delete_view(session: Session, actor: Actor, sheet_id: int, view_id: int) -> None:
    """Delete a view with everybody's changes on it. A public link that shows it ends. Raises Invalid and NotAllowed."""
    access, view, listed = _editable(session, actor, sheet_id, view_id)
    if view.is_shared:
        _refuse_last(listed, view)
    _require_share_if_linked(session, access, view)
    session.execute(delete(StoredView).where(StoredView.view_id == view_id))
    if view.is_shared:
        _record(session, access, "sheet:view:delete", view_id, name=view.name)
    else:
        notify_sheet_rights(session, sheet_id)


def remember_view(session: Session, actor: Actor, sheet_id: int, view_id: int) -> None:
    """Remember a view as the one that the actor opened last."""
    view = get_view(session, get_access(session, actor, sheet_id), view_id)
    row = {
        "view_id": view_id,
        "user_id": actor.user_id,
        "base_version": view.version,
        "opened_at": func.clock_timestamp(),
    }
    statement = insert(ViewState).values(**row)
    session.execute(
        statement.on_conflict_do_update(index_elements=["view_id", "user_id"], set_={"opened_at": row["opened_at"]})
    )


def _access(session: Session, actor: Actor, sheet_id: int, *, is_shared: bool) -> Access:
    permissions = (Permission.VIEWS_EDIT,) if is_shared else ()
    return get_access(session, actor, sheet_id, *permissions)


def _editable(session: Session, actor: Actor, sheet_id: int, view_id: int) -> tuple[Access, ViewInfo, list[ViewInfo]]:
    """Return a view that the actor may edit, among all that they see. Raises NotFound and NotAllowed."""
    access = get_access(session, actor, sheet_id)
    listed = _locked_views(session, access)
    view = get_view(session, access, view_id)
    if view.is_shared:
        access.require(Permission.VIEWS_EDIT)
    return access, view, listed


def _locked_views(session: Session, access: Access) -> list[ViewInfo]:
    """Return the views of the sheet. Their names, order and number stay as they are until the transaction ends."""
    session.execute(_LOCK_ALL, {"sheet": access.sheet.sheet_id})
    return views(session, access)


def _locked(session: Session, view_id: int) -> None:
    """Let nobody else change the settings of a view until the transaction ends."""
    session.execute(select(StoredView.view_id).where(StoredView.view_id == view_id).with_for_update())


def _checked_name(name: str, others: Sequence[ViewInfo]) -> str:
    name = one_line(clean(name))
    if not name:
        raise Invalid("A view needs a name.")
    if len(name) > MAX_NAME:
        raise Invalid(f"A view's name has at most {MAX_NAME} characters. This one has {len(name)}.")
    if any(folded_key(other.name) == folded_key(name) for other in others):
        raise Invalid(f"There is a view called {quoted(name)} already. Choose another name.")
    return name


def _refuse_last(listed: Sequence[ViewInfo], view: ViewInfo) -> None:
    grids = [other for other in listed if other.is_shared and other.kind == "grid"]
    if [other.view_id for other in grids] == [view.view_id]:
        raise Invalid(f"{quoted(view.name)} is the only grid for everyone. Make another one first.")


def _require_share_if_linked(session: Session, access: Access, view: ViewInfo) -> None:
    """Raise NotAllowed if a public link shows the view, unless the actor decides what the public sees."""
    if Permission.SHEET_SHARE not in access.permissions and session.scalar(_IS_LINKED, {"view": view.view_id}):
        raise NotAllowed(f"A public link shows {quoted(view.name)}, so only the sheet's owner can change it.")


def _for_everyone(access: Access, view: ViewInfo) -> Settings:
    """Return the view's settings with the actor's changes, and with what is set for columns that they do not see."""
    changes, unseen = dict(view.changes), unseen_settings(access, view.kind, view.stored)
    for key in set(changes) & set(unseen):
        if key not in BY_COLUMN:
            raise Invalid(
                f"The {key} of {quoted(view.name)} uses a column that you don't see, and would lose it. "
                "Keep yours as a view of your own, or ask the sheet's owner."
            )
        changes[key] = with_unseen(changes[key], unseen[key], access)
    return view.stored | changes


def _save_settings(session: Session, actor: Actor, view: ViewInfo, settings: Settings) -> None:
    """Store the settings as a new version of the view; the actor has no changes of their own any more."""
    values = {"settings": settings, "version": StoredView.version + 1, "changed_by": actor.user_id}
    session.execute(update(StoredView).where(StoredView.view_id == view.view_id).values(**values))
    _save_changes(session, actor, view, {})


def _save_changes(session: Session, actor: Actor, view: ViewInfo, changes: Settings, seen: int | None = None) -> None:
    """Store the actor's changes of a view. The first of them remembers the version that it was made on."""
    base = view.base_version if view.own else min(seen or view.version, view.version)
    row = {"view_id": view.view_id, "user_id": actor.user_id, "changes": changes, "base_version": base}
    statement = insert(ViewState).values(**row)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["view_id", "user_id"],
            set_={"changes": statement.excluded.changes, "base_version": statement.excluded.base_version},
        )
    )


def _record(session: Session, access: Access, action: str, view_id: int, **facts: Any) -> None:
    """Record what was done to a view of everybody, and let open pages of the sheet read its views again."""
    sheet_id = access.sheet.sheet_id
    notify_sheet_rights(session, sheet_id)
    audit.record(session, access.actor, action, sheet_id=sheet_id, view=view_id, **facts)


_LOCK_ALL = text("SELECT view_id FROM views WHERE sheet_id = :sheet AND owner_id IS NULL ORDER BY view_id FOR UPDATE")
# A link that has expired can be extended.
_IS_LINKED = text("SELECT EXISTS (SELECT FROM public_links WHERE view_id = :view AND revoked_at IS NULL)")
