"""Comments on a row."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from api.auth.request import MAX_ID, CallerDep, RowId, SheetId, Strict
from api.http.json_body import ExactRoute
from api.http.responses import answer
from core.comments import comments

router = APIRouter(prefix="/sheets/{sheet}/rows/{row}/comments", tags=["Comments"], route_class=ExactRoute)

CommentId = Annotated[int, Path(description="The comment's number.", ge=1, le=MAX_ID)]
Before = Annotated[int | None, Query(ge=0, le=MAX_ID, description="`next` of the previous page.")]


class Said(Strict):
    body: str = Field(description=f"Plain text of at most {comments.MAX_LENGTH} characters.")


@router.get("", summary="The comments of a row")
def listed(
    caller: CallerDep,
    sheet: SheetId,
    row: RowId,
    *,
    before: Before = None,
    limit: Annotated[int, Query(ge=1, le=comments.MAX_LISTED)] = 50,
) -> Response:
    """The newest comments, in the order they were written. Pass `next` as `before` to get older ones. A deleted comment
    stays in the list without its text."""
    with caller.transaction() as (session, actor):
        page = comments.comments(session, actor, sheet, row, before=before, limit=limit)
    next_page = page[0].comment_id if len(page) == limit else None
    return answer({"comments": [asdict(comment) for comment in page], "next": next_page})


@router.post("", summary="Comment on a row", status_code=201)
def add(caller: CallerDep, sheet: SheetId, row: RowId, body: Said) -> Response:
    """Commenters, editors and the owner may."""
    with caller.transaction() as (session, actor):
        return answer({"comment_id": comments.add_comment(session, actor, sheet, row, body.body)}, 201)


@router.patch("/{comment}", summary="Change your own comment", status_code=204)
def edit(caller: CallerDep, sheet: SheetId, row: RowId, comment: CommentId, body: Said) -> Response:
    """It is marked as edited."""
    with caller.transaction() as (session, actor):
        comments.edit_comment(session, actor, sheet, row, comment, body=body.body)
    return Response(status_code=204)


@router.delete("/{comment}", summary="Delete a comment", status_code=204)
def delete(caller: CallerDep, sheet: SheetId, row: RowId, comment: CommentId) -> Response:
    """Your own comment; the sheet's owner may delete any. Its text can't be restored."""
    with caller.transaction() as (session, actor):
        comments.delete_comment(session, actor, sheet, row, comment)
    return Response(status_code=204)
