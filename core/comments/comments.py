"""Comments: what people say of a row. Plain text, shown letter by letter; gone from sight with the row."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.access import Access, get_access
from core.access.row_gate import scope_sql, visible_sql
from core.base import audit
from core.base.actor import Actor
from core.base.errors import Invalid, NotAllowed, NotFound
from core.base.permissions import Permission
from core.base.text import clean

LONGEST = 4000
PAGE = 50
MOST_LISTED = 200
MOST_COUNTED = 1000


@dataclass(frozen=True)
class CommentInfo:
    """A comment; of a deleted one only that there was one is left. `is_mine`: it is this person's to change."""

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
    """The newest comments of a row, oldest of them first; `before` goes on behind a comment's number, into the past.

    Those of a row in the trash can be read. NotFound where there is no such row.
    """
    access = get_access(session, actor, sheet_id, Permission.COMMENTS_SEE)
    parameters = access.row_gate.parameters() | {
        "row": row,
        "before": before,
        "limit": min(limit, MOST_LISTED),
        "me": actor.user_id,
    }
    found = [CommentInfo(**line) for line in session.execute(_LIST, parameters).mappings()]
    if not found:
        _check_row(session, access, row, _KNOWN)
    return found[::-1]


def comment_counts(session: Session, access: Access, rows: list[int]) -> dict[int, int]:
    """How many comments these rows have, row → count; rows without any, or not to be seen, are left out."""
    access.require(Permission.COMMENTS_SEE)
    counted = session.execute(_COUNT, access.row_gate.parameters() | {"rows": rows[:MOST_COUNTED]})
    return dict(counted.tuples().all())


def add_comment(session: Session, actor: Actor, sheet_id: int, row: int, body: str) -> int:
    """Say something of a live row: the comment's number. Raises Invalid and NotFound."""
    access = _may_write(session, actor, sheet_id)
    said = _checked(body)
    _check_row(session, access, row, _LIVE)
    line = {"sheet": sheet_id, "row": row, "me": actor.user_id, "body": said}
    comment_id: int = session.execute(_ADD, line).scalar_one()
    audit.record(session, actor, "sheet:comment:add", sheet_id=sheet_id, row=row, comment=comment_id)
    return comment_id


def edit_comment(session: Session, actor: Actor, sheet_id: int, row: int, comment_id: int, *, body: str) -> None:
    """Put my own comment in other words."""
    access = _may_write(session, actor, sheet_id)
    said = _checked(body)
    _check_row(session, access, row, _LIVE)
    author = _author(session, access, row, comment_id)
    if author != actor.user_id:
        raise NotAllowed("Only whoever wrote a comment changes it.")
    session.execute(_EDIT, {"comment": comment_id, "body": said})
    audit.record(session, actor, "sheet:comment:edit", sheet_id=sheet_id, row=row, comment=comment_id)


def delete_comment(session: Session, actor: Actor, sheet_id: int, row: int, comment_id: int) -> None:
    """Take a comment away: my own, or as the sheet's owner anybody's. Its text is gone for good."""
    access = _may_write(session, actor, sheet_id)
    author = _author(session, access, row, comment_id)
    if author != actor.user_id and Permission.SHEET_CONFIGURE not in access.permissions:
        raise NotAllowed("Only whoever wrote a comment, or the sheet's owner, deletes it.")
    session.execute(_DELETE, {"comment": comment_id})
    audit.record(session, actor, "sheet:comment:delete", sheet_id=sheet_id, row=row, comment=comment_id, author=author)


def _may_write(session: Session, actor: Actor, sheet_id: int) -> Access:
    access = get_access(session, actor, sheet_id, Permission.COMMENTS_WRITE)
    if access.sheet.archived_at is not None:
        raise NotAllowed(f"“{access.sheet.name}” is archived. Restore it first.")
    return access


def _checked(body: str) -> str:
    said = clean(body)
    if not said:
        raise Invalid("A comment says something: write a word or two.")
    if len(said) > LONGEST:
        raise Invalid(f"A comment has at most {LONGEST:,} characters; this one has {len(said):,}.")
    return said


def _check_row(session: Session, access: Access, row: int, which: str) -> None:
    if session.execute(text(which), access.row_gate.parameters() | {"row": row}).first() is None:
        raise NotFound("This row has been deleted, or never was.", row=row)


def _author(session: Session, access: Access, row: int, comment_id: int) -> int:
    """Who wrote a comment that is still there, held until the transaction ends. Raises NotFound."""
    author: int | None = session.scalar(_HELD, access.row_gate.parameters() | {"row": row, "comment": comment_id})
    if author is None:
        raise NotFound("This comment has been deleted, or never was.")
    return author


_KNOWN = f"SELECT 1 FROM rows r WHERE {scope_sql('r')} AND r.row_id = :row"  # noqa: S608 - The gate of core.access.
# Held against being deleted while somebody says something of it.
_LIVE = f"SELECT 1 FROM rows r WHERE {visible_sql('r')} AND r.row_id = :row FOR KEY SHARE OF r"  # noqa: S608 - The same.
_LIST = text(f"""
    SELECT c.comment_id, c.author_id, coalesce(u.name, 'somebody') AS author, c.body, c.created_at, c.edited_at,
           c.deleted_at IS NOT NULL AS is_deleted, c.author_id = :me AS is_mine
    FROM comments c
    JOIN rows r ON r.sheet_id = c.sheet_id AND r.row_id = c.row_id
    LEFT JOIN users u ON u.user_id = c.author_id
    WHERE {scope_sql("r")} AND c.sheet_id = :sheet AND c.row_id = :row
      AND (CAST(:before AS bigint) IS NULL OR c.comment_id < :before)
    ORDER BY c.comment_id DESC LIMIT :limit
""")  # noqa: S608 - The same.
_COUNT = text(f"""
    SELECT c.row_id, count(*) FROM comments c
    JOIN rows r ON r.sheet_id = c.sheet_id AND r.row_id = c.row_id
    WHERE {visible_sql("r")} AND c.sheet_id = :sheet AND c.row_id = ANY(CAST(:rows AS integer[]))
      AND c.deleted_at IS NULL
    GROUP BY c.row_id
""")  # noqa: S608 - The same.
_HELD = text(f"""
    SELECT c.author_id FROM comments c JOIN rows r ON r.sheet_id = c.sheet_id AND r.row_id = c.row_id
    WHERE {visible_sql("r")} AND c.sheet_id = :sheet AND c.row_id = :row AND c.comment_id = :comment
      AND c.deleted_at IS NULL
    FOR UPDATE OF c
""")  # noqa: S608 - The same.
_ADD = text("""
    INSERT INTO comments (sheet_id, row_id, author_id, body) VALUES (:sheet, :row, :me, :body) RETURNING comment_id
""")
_EDIT = text("UPDATE comments SET body = :body, edited_at = now() WHERE comment_id = :comment")
_DELETE = text("UPDATE comments SET body = '', deleted_at = now() WHERE comment_id = :comment")
