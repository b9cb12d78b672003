"""Public links of a sheet: list, make, change and revoke."""

from typing import Any

from fastapi import APIRouter, Response
from pydantic import Field
from sqlalchemy.orm import Session

from api.auth.request import CallerDep, LinkId, SheetId, Strict
from api.http.json_body import ExactRoute
from api.http.responses import answer
from core.base.actor import Actor
from core.config.settings import settings
from core.sharing import public_links
from core.sharing.public_links import LinkOptions

router = APIRouter(prefix="/sheets/{sheet}/links", tags=["Public links"], route_class=ExactRoute)

OPTION_NAMES = {"expires_in_days": "days"}  # Fields of LinkBody whose link option has another name.


class LinkBody(Strict):
    """A field that is left out has its default in a new link, and stays unchanged in an existing one."""

    name: str | None = Field(default=None, description="Its purpose; only the sheet's owner sees it.")
    password: str | None = Field(default=None, description="Visitors must enter it; null for no password.")
    expires_in_days: int | None = Field(default=None, description="1 to 366; null for a link that doesn't expire.")
    may_export: bool = Field(default=False, description="Whether visitors may export the rows.")
    view: int | None = Field(
        default=None, description="The stored view whose rows and columns it shows; null for the whole sheet."
    )


@router.get("", summary="The public links of a sheet")
def listed(caller: CallerDep, sheet: SheetId) -> Response:
    """Newest first; only the owner may. `lives` is false for a link that doesn't work now."""
    with caller.transaction() as (session, actor):
        return _all(session, actor, sheet)


@router.post("", summary="Make a public link", status_code=201)
def make(caller: CallerDep, sheet: SheetId, body: LinkBody) -> Response:
    """Anyone with the link (and its password) can read the sheet, except columns that are hidden from links. The `url`
    can't be read again later."""
    with caller.transaction() as (session, actor):
        link_id, token = public_links.create_link(session, actor, sheet, **_options(body))
    return answer({"id": link_id, "url": f"{settings().url}/l/{token}"}, 201)


@router.patch("/{link}", summary="Change a public link")
def change(caller: CallerDep, sheet: SheetId, link: LinkId, body: LinkBody) -> Response:
    """Fields that are left out stay unchanged. After a new password, visitors must enter it to continue."""
    with caller.transaction() as (session, actor):
        public_links.change_link(session, actor, sheet, link, **_options(body))
        return _all(session, actor, sheet)


@router.delete("/{link}", summary="Revoke a public link")
def revoke(caller: CallerDep, sheet: SheetId, link: LinkId) -> Response:
    """The link stops working at once, for current visitors, too."""
    with caller.transaction() as (session, actor):
        public_links.revoke_link(session, actor, sheet, link)
        return _all(session, actor, sheet)


def _options(body: LinkBody) -> LinkOptions:
    options: Any = {OPTION_NAMES.get(name, name): getattr(body, name) for name in body.model_fields_set}
    if options.get("name", "") is None:
        del options["name"]
    return options  # type: ignore[no-any-return]


def _all(session: Session, actor: Actor, sheet: int) -> Response:
    links = [
        {"id": link.link_id} | {name: getattr(link, name) for name in FIELDS}
        for link in public_links.public_links(session, actor, sheet)
    ]
    return answer({"links": links})


FIELDS = (
    *("name", "hint", "has_password", "may_export", "view", "view_name"),
    *("by", "created_at", "expires_at", "last_used_at", "lives"),
)
