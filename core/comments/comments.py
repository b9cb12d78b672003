"""Comments on rows: plain text, shown without formatting, and hidden while the row is not visible."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.load import get_access
from core.access.row_gate import scope_sql, visible_sql
from core.base import audit
from core.base.actor import Actor
from core.base.errors import Invalid, NotAllowed, NotFound
from core.base.permissions import Permission
from core.base.text import clean

MAX_LENGTH = 4000
PAGE = 50
MAX_LISTED = 200
MAX_COUNTED = 1000


@dataclass(frozen=True)
class CommentInfo:
    """A comment; a deleted one has an empty body. `is_mine`: the actor wrote it."""

    comment_id: int
    author_id: int
    author: str
    body: str
    created_at: datetime
    edited_at: datetime | None
    is_deleted: bool
    is_mine: bool


def comments(
    session: Session, actor: Actor, sheet_id: int, row: int, *, before: int | None = None, limit: int = PAGE
) -> list[CommentInfo]:
    """Return the newest comments of a row, oldest first; `before`, a comment's id, pages back to older ones.

    Includes rows in the trash. Raises NotFound.
    """
    access = get_access(session, actor, sheet_id, Permission.COMMENTS_SEE)
    parameters = access.row_gate.parameters() | {
        "row": row,
        "before": before,
        "limit": min(limit, MAX_LISTED),
        "me": actor.user_id,
    }
    newest_first = [CommentInfo(**comment) for comment in session.execute(_LIST, parameters).mappings()]
    if not newest_first:
        _check_row(session, access, row, _VISIBLE_ROW)
    return newest_first[::-1]


def comment_counts(session: Session, access: Access, rows: list[int]) -> dict[int, int]:
    """Return the number of comments per row id, without rows that have none or that the actor may not see."""
    access.require(Permission.COMMENTS_SEE)
    counts = session.execute(_COUNT, access.row_gate.parameters() | {"rows": rows[:MAX_COUNTED]})
    return dict(counts.tuples().all())


def add_comment(session: Session, actor: Actor, sheet_id: int, row: int, body: str) -> int:
    """Comment on a row that is not deleted; return the comment's id. Raises Invalid, NotAllowed and NotFound."""
    access = _may_write(session, actor, sheet_id)
    cleaned = _checked(body)
    _check_row(session, access, row, _LIVE_ROW)
    values = {"sheet": sheet_id, "row": row, "me": actor.user_id, "body": cleaned}
    comment_id: int = session.execute(_ADD, values).scalar_one()
    audit.record(session, actor, "sheet:comment:add", sheet_id=sheet_id, row=row, comment=comment_id)
    return comment_id


def edit_comment(session: Session, actor: Actor, sheet_id: int, row: int, comment_id: int, *, body: str) -> None:
    """Change the text of the actor's own comment. Raises Invalid, NotAllowed and NotFound."""
    access = _may_write(session, actor, sheet_id)
    cleaned = _checked(body)
    _check_row(session, access, row, _LIVE_ROW)
    author = _author(session, access, row, comment_id)
    if author != actor.user_id:
        raise NotAllowed("You can only change your own comments.")
    session.execute(_EDIT, {"comment": comment_id, "body": cleaned})
    audit.record(session, actor, "sheet:comment:edit", sheet_id=sheet_id, row=row, comment=comment_id)


def delete_comment(session: Session, actor: Actor, sheet_id: int, row: int, comment_id: int) -> None:
    """Delete a comment and its text: the actor's own or, for the sheet's owner, any."""
    access = _may_write(session, actor, sheet_id)
    author = _author(session, access, row, comment_id)
    if author != actor.user_id and Permission.SHEET_CONFIGURE not in access.permissions:
        raise NotAllowed("Only the author of a comment or the sheet's owner can delete it.")
    session.execute(_DELETE, {"comment": comment_id})
    audit.record(session, actor, "sheet:comment:delete", sheet_id=sheet_id, row=row, comment=comment_id, author=author)


def _may_write(session: Session, actor: Actor, sheet_id: int) -> Access:
    access = get_access(session, actor, sheet_id, Permission.COMMENTS_WRITE)
    if access.sheet.archived_at is not None:
        raise NotAllowed(f"“{access.sheet.name}” is archived. Restore it first.")
    return access


def _checked(body: str) -> str:
    cleaned = clean(body)
    if not cleaned:
        raise Invalid("Write something first.")
    if len(cleaned) > MAX_LENGTH:
        raise Invalid(f"A comment has at most {MAX_LENGTH:,} characters. This one has {len(cleaned):,}.")
    return cleaned


def _check_row(session: Session, access: Access, row: int, statement: str) -> None:
    if session.execute(text(statement), access.row_gate.parameters() | {"row": row}).first() is None:
        raise NotFound("This row does not exist or has been deleted.", row=row)


def _author(session: Session, access: Access, row: int, comment_id: int) -> int:
    """Lock a comment and return its author. Raises NotFound."""
    author: int | None = session.scalar(_LOCK, access.row_gate.parameters() | {"row": row, "comment": comment_id})
    if author is None:
        raise NotFound("This comment does not exist or has been deleted.")
    return author


_VISIBLE_ROW = f"SELECT 1 FROM rows r WHERE {scope_sql('r')} AND r.row_id = :row"  # noqa: S608 - The row gate.
# Locks the row, so that nobody deletes it while a comment is written.
_LIVE_ROW = f"SELECT 1 FROM rows r WHERE {visible_sql('r')} AND r.row_id = :row FOR KEY SHARE OF r"  # noqa: S608 - The row gate.
_LIST = text(f"""
    SELECT c.comment_id, c.author_id, coalesce(u.name, 'somebody') AS author, c.body, c.created_at, c.edited_at,
           c.deleted_at IS NOT NULL AS is_deleted, c.author_id = :me AS is_mine
    FROM comments c
    JOIN rows r ON r.sheet_id = c.sheet_id AND r.row_id = c.row_id
    LEFT JOIN users u ON u.user_id = c.author_id
    WHERE {scope_sql("r")} AND c.sheet_id = :sheet AND c.row_id = :row
      AND (CAST(:before AS bigint) IS NULL OR c.comment_id < :before)
    ORDER BY c.comment_id DESC LIMIT :limit
""")  # noqa: S608 - The row gate.
_COUNT = text(f"""
    SELECT c.row_id, count(*) FROM comments c
    JOIN rows r ON r.sheet_id = c.sheet_id AND r.row_id = c.row_id
    WHERE {visible_sql("r")} AND c.sheet_id = :sheet AND c.row_id = ANY(CAST(:rows AS integer[]))
      AND c.deleted_at IS NULL
    GROUP BY c.row_id
""")  # noqa: S608 - The row gate.
_LOCK = text(f"""
    SELECT c.author_id FROM comments c JOIN rows r ON r.sheet_id = c.sheet_id AND r.row_id = c.row_id
    WHERE {visible_sql("r")} AND c.sheet_id = :sheet AND c.row_id = :row AND c.comment_id = :comment
      AND c.deleted_at IS NULL
    FOR UPDATE OF c
""")  # noqa: S608 - The row gate.
_ADD = text("""
    INSERT INTO comments (sheet_id, row_id, author_id, body) VALUES (:sheet, :row, :me, :body) RETURNING comment_id
""")
_EDIT = text("UPDATE comments SET body = :body, edited_at = now() WHERE comment_id = :comment")
_DELETE = text("UPDATE comments SET body = '', deleted_at = now() WHERE comment_id = :comment")
