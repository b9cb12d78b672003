"""Everybody who may ask core for something, around one sheet of Ann's: the cast of the permission matrix."""

from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.access import Access
from core.base.actor import Actor, Principal, Visitor
from core.base.permissions import LEVEL_PERMISSIONS, ROLE_PERMISSIONS, Level, Permission, Role
from core.base.secret_tokens import hash_token
from core.credentials.sessions import actor_of_session
from core.edits.batch import Batch, CellInput, NewRow
from core.edits.operation import ChangeSource
from core.edits.write import write
from core.sheets.columns import retire_column
from core.sign_in.second_factor import create_pending_factor
from db.tables import all_tables
from tests.conftest import actor

# Who, in which role, and what they are to the sheet. Of Owen's rows, which are his own, there is none.
PEOPLE: dict[str, tuple[Role, Level | None]] = {
    "Ada": (Role.ADMIN, None),
    "Max": (Role.MANAGER, None),
    "Ann": (Role.MEMBER, Level.OWNER),
    "Ben": (Role.MEMBER, Level.EDITOR),
    "Eve": (Role.MEMBER, Level.COMMENTER),
    "Cleo": (Role.ANALYST, Level.VIEWER),
    "Owen": (Role.MEMBER, Level.EDITOR),
    "Dan": (Role.MEMBER, None),
    "Gus": (Role.MEMBER, Level.EDITOR),  # Deactivated.
}
VISITOR, NOBODY = "the visitor of a link", "nobody"
PRINCIPALS = (*PEOPLE, VISITOR, NOBODY)
GUS, ARRIVAL = 914, "somebody whom the provider sent"
MARK = "falcon"  # Stands in what is Ann's alone.
ANNS_OPERATION, ANNS_SESSION, GUSES_SESSION, VISIT = uuid4(), uuid4(), uuid4(), uuid4()


@dataclass(frozen=True)
class Own:
    """Whoever is signed in, with what is their own; nothing of anybody else's is touched, or told unless by `but`."""

    but: Permission | None = None


class Anns:
    """For a thing of Ann's: she may, and to everybody else it is not there."""


Needs = Permission | tuple[Permission, ...] | Own | type[Anns]


def on_sheets(needs: Needs) -> bool:
    """Whether this is about one sheet."""
    return isinstance(needs, Permission | tuple) and bool(_several(needs) & LEVEL_PERMISSIONS[Level.OWNER])


def _several(needs: Permission | tuple[Permission, ...]) -> set[Permission]:
    return set(needs) if isinstance(needs, tuple) else {needs}


def permissions(who: str) -> frozenset[Permission]:
    """What their role and their level give somebody."""
    role, level = PEOPLE[who]
    return ROLE_PERMISSIONS[role] | (LEVEL_PERMISSIONS[level] if level else frozenset())


def becomes(needs: Needs, who: str, *, on_row: bool) -> str:
    """What becomes of a person who asks: "does", or the name of the refusal. `on_row`: it is about one of the rows."""
    if who == "Gus":
        return "NotFound" if on_sheets(needs) else "is nobody"
    if isinstance(needs, Own):
        return "does"
    if needs is Anns:
        return "does" if who == "Ann" else "NotFound"
    assert isinstance(needs, Permission | tuple)
    if _several(needs) & permissions(who):
        return "NotFound" if on_row and who == "Owen" else "does"
    return "NotFound" if on_sheets(needs) and PEOPLE[who][1] is None else "NotAllowed"


def principal(session: Session, who: str, sheet: int, *, at_the_door: bool) -> Principal | None:
    """Who asks. Who is deactivated is nobody at the door, and may have passed it a moment ago."""
    if who in {VISITOR, NOBODY}:
        return Visitor(901, sheet, VISIT) if who == VISITOR else None
    if who == "Gus" and at_the_door:
        return actor_of_session(session, GUSES_SESSION)
    user_id, email = session.execute(text("SELECT user_id, email FROM users WHERE name = :name"), {"name": who}).one()
    return Actor(user_id, who, email, PEOPLE[who][0])


def person(who: Principal | None) -> Actor:
    """The person who asks, or Ann: for what is prepared before anybody asks."""
    return who if isinstance(who, Actor) else actor("Ann")


def gather(session: Session, deals: Access) -> int:
    """The sheet with everybody around it, and things of Ann's."""
    sheet, ann = deals.sheet.sheet_id, actor("Ann")
    batch = Batch(adds=(NewRow("a", {1: CellInput(MARK)}),))
    write(session, ann, sheet, batch, operation_id=ANNS_OPERATION, source=ChangeSource.API)
    retire_column(session, ann, sheet, 10)
    around: dict[str, int | UUID | str] = {"sheet": sheet, "anns": ANNS_SESSION, "guses": GUSES_SESSION, "mark": MARK}
    session.execute(_PEOPLE)
    session.execute(_AROUND, around | {"visit": VISIT})
    session.execute(_SAYING, {"sheet": sheet})
    session.execute(_ARRIVED, {"token": hash_token(ARRIVAL)})
    for user_id in (1, 2, 3, 4, 5, 911, 912, 913):
        create_pending_factor(session, user_id)
    return sheet


def of_others(session: Session, me: Actor) -> str:
    """A fingerprint of everything that belongs to other people."""
    return str(session.scalar(_OF_OTHERS, {"me": me.user_id}))


_PEOPLE = text("""
    INSERT INTO users (user_id, email, name, role, is_active, password_hash)
    SELECT v.id, lower(v.name) || '@example.com', v.name, v.role, v.id <> 914, u.password_hash
    FROM (VALUES (911, 'Max', 'manager'), (912, 'Eve', 'member'), (913, 'Owen', 'member'), (914, 'Gus', 'member'))
        v (id, name, role), users u WHERE u.name = 'Ann'
""")
_AROUND = text(r"""
    WITH shared AS (
        INSERT INTO collaborators (sheet_id, user_id, level, row_scope)
        VALUES (:sheet, 912, 'commenter', 'all'), (:sheet, 913, 'editor', 'own'), (:sheet, 914, 'editor', 'all')),
    team AS (INSERT INTO teams (team_id, name) VALUES (901, 'North'), (902, 'South')),
    members AS (INSERT INTO team_members (team_id, user_id, is_manager, accepted_at)
        VALUES (901, 911, true, now()), (901, 2, false, now()), (902, 2, false, NULL)),
    team_share AS (INSERT INTO team_collaborators (sheet_id, team_id, level) VALUES (:sheet, 902, 'viewer')),
    link AS (INSERT INTO public_links (link_id, sheet_id, name, hint, token_hash, created_by)
        VALUES (901, :sheet, 'Partner', 'abc', '1', 2)),
    visit AS (INSERT INTO link_visits (visit_id, link_id, token_hash, expires_at)
        VALUES (:visit, 901, '1', now() + interval '1 day')),
    invitation AS (INSERT INTO invitations (invitation_id, token_hash, email, invited_by, expires_at)
        VALUES (901, '1', 'zoe@example.com', 1, now() + interval '1 day')),
    signed_in AS (INSERT INTO sessions (session_id, user_id, token_hash, kind, user_agent, expires_at)
        VALUES (:anns, 2, '1', 'browser', :mark, now() + interval '1 day'),
               (:guses, 914, '2', 'browser', '', now() + interval '1 day')),
    token AS (INSERT INTO api_tokens (token_id, user_id, name, hint, token_hash, scope, expires_at)
        VALUES (901, 2, :mark, 'ctv_abcd', '1', 'read', now() + interval '1 day')),
    identity AS (INSERT INTO provider_identities (issuer, subject, user_id) VALUES (:mark, 's', 2)),
    job AS (INSERT INTO jobs (job_id, kind, user_id, state, result) OVERRIDING SYSTEM VALUE
        VALUES (901, 'import', 2, 'waiting', jsonb_build_object('message', CAST(:mark AS text))),
               (902, 'import', 2, 'failed', NULL)),
    template AS (INSERT INTO sheet_templates (template_id, name, created_by, structure) OVERRIDING SYSTEM VALUE
        VALUES (901, 'Ours', 1,
                '{"description": "", "icon": "table", "settings": {}, "columns": [], "views": []}')),
    another_view AS (INSERT INTO views (view_id, sheet_id, name, position, created_by) OVERRIDING SYSTEM VALUE
        VALUES (901, :sheet, 'Another', 9, 2)),
    factor AS (INSERT INTO second_factors (user_id, secret, confirmed_at) VALUES (914, '1', now()))
    INSERT INTO sheets (owner_id, name) VALUES (2, :mark)
""")
_SAYING = text("INSERT INTO comments (sheet_id, row_id, author_id, body) SELECT :sheet, 1, user_id, 'x' FROM users")
_ARRIVED = text("""
    INSERT INTO provider_arrivals (token_hash, issuer, subject, is_verified, name, expires_at)
    VALUES (:token, 'https://id.example.com', 's-1', false, 'Somebody', now() + interval '1 minute')
""")
_OF_OTHERS = text(
    "SELECT string_agg(print, ' ' ORDER BY print) FROM ("
    + " UNION ALL ".join(
        f"SELECT '{table.name} ' || md5(string_agg(t::text, ' ' ORDER BY t::text)) AS print"
        f" FROM {table.name} t WHERE t.user_id <> :me"
        for table in all_tables().tables.values()
        if "user_id" in table.columns
    )
    + ") prints"
)
