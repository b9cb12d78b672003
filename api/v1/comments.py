"""Comments: what people say of a row."""

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
Before = Annotated[int | None, Query(ge=0, le=MAX_ID, description="`next` of the page before.")]


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
    """The newest, oldest of them first; `next` goes on into the past. A deleted one keeps its place and has no text."""
    with caller.transaction() as (session, actor):
        found = comments.comments(session, actor, sheet, row, before=before, limit=limit)
    more = found[0].comment_id if len(found) == limit else None
    return answer({"comments": [asdict(one) for one in found], "next": more})


@router.post("", summary="Comment on a row", status_code=201)
def add(caller: CallerDep, sheet: SheetId, row: RowId, said: Said) -> Response:
    """For commenters and above."""
    with caller.transaction() as (session, actor):
        return answer({"comment_id": comments.add_comment(session, actor, sheet, row, said.body)}, 201)


@router.patch("/{comment}", summary="Change a comment of your own", status_code=204)
def edit(caller: CallerDep, sheet: SheetId, row: RowId, comment: CommentId, said: Said) -> Response:
    """It is marked as edited."""
    with caller.transaction() as (session, actor):
        comments.edit_comment(session, actor, sheet, row, comment, body=said.body)
    return Response(status_code=204)


@router.delete("/{comment}", summary="Delete a comment", status_code=204)
def delete(caller: CallerDep, sheet: SheetId, row: RowId, comment: CommentId) -> Response:
    """Your own; as the sheet's owner anybody's. Its text is gone for good."""
    with caller.transaction() as (session, actor):
        comments.delete_comment(session, actor, sheet, row, comment)
    return Response(status_code=204)
