"""Public links of a sheet: make, list, change and revoke them."""

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

NAMED = {"expires_in_days": "days"}


class LinkBody(Strict):
    """What is not named has its default in a new link, and stays as it is in one that there is."""

    name: str | None = Field(default=None, description="What it is for, shown to the sheet's owner alone.")
    password: str | None = Field(default=None, description="Visitors have to enter it; null for none.")
    expires_in_days: int | None = Field(default=None, description="1 to 366; null for a link without an end.")
    may_export: bool = Field(default=False, description="Whether visitors may take the rows away as a file.")


@router.get("", summary="The public links of a sheet")
def listed(caller: CallerDep, sheet: SheetId) -> Response:
    """For its owner, the newest first. `lives` is false for one that opens nothing now."""
    with caller.transaction() as (session, actor):
        return _all(session, actor, sheet)


@router.post("", summary="Make a public link", status_code=201)
def make(caller: CallerDep, sheet: SheetId, body: LinkBody) -> Response:
    """Whoever has it (and its password) reads the sheet, less the columns hidden from links. The `url` is told once."""
    with caller.transaction() as (session, actor):
        number, token = public_links.create_link(session, actor, sheet, **_wishes(body))
    return answer({"id": number, "url": f"{settings().url}/l/{token}"}, 201)


@router.patch("/{link}", summary="Change a public link")
def change(caller: CallerDep, sheet: SheetId, link: LinkId, body: LinkBody) -> Response:
    """Only what is named. With a new password, whoever has the link open is asked for it."""
    with caller.transaction() as (session, actor):
        public_links.change_link(session, actor, sheet, link, **_wishes(body))
        return _all(session, actor, sheet)


@router.delete("/{link}", summary="Revoke a public link")
def revoke(caller: CallerDep, sheet: SheetId, link: LinkId) -> Response:
    """It is over at once, for everybody who has it open as well."""
    with caller.transaction() as (session, actor):
        public_links.revoke_link(session, actor, sheet, link)
        return _all(session, actor, sheet)


def _wishes(body: LinkBody) -> LinkOptions:
    named: Any = {NAMED.get(name, name): getattr(body, name) for name in body.model_fields_set}
    if named.get("name", "") is None:
        del named["name"]
    return named  # type: ignore[no-any-return]


def _all(session: Session, actor: Actor, sheet: int) -> Response:
    found = [
        {"id": link.link_id} | {name: getattr(link, name) for name in TOLD}
        for link in public_links.public_links(session, actor, sheet)
    ]
    return answer({"links": found})


TOLD = ("name", "hint", "has_password", "may_export", "by", "created_at", "expires_at", "last_used_at", "lives")
