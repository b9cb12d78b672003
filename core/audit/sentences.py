"""The audit trail in words: every action has its kind and its sentence, with the names as they are now."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from core.base.permissions import Audience, Level, Role, RowScope
from db.tables.sharing import PublicLink, Team
from db.tables.sheets import AuditEvent, Column, Sheet, User

Facts = Mapping[str, Any]


class Kind(StrEnum):
    """What an event is about. `subjects`: how its actions begin."""

    label: str
    subjects: tuple[str, ...]

    def __new__(cls, value: str, label: str = "", subjects: tuple[str, ...] = ()) -> Self:
        member = str.__new__(cls, value)
        member._value_, member.label, member.subjects = value, label, subjects
        return member

    SIGN_INS = "sign-ins", "Signing in and out", ("account:session", "account:sign-in")
    ACCOUNTS = (
        *("accounts", "Accounts and passwords"),
        ("account:user", "account:password", "account:email", "account:second-factor", "account:provider"),
    )
    TOKENS = "tokens", "API tokens", ("account:token",)
    INVITATIONS = "invitations", "Invitations and registration", ("account:invitation", "account:registration")
    TEAMS = "teams", "Teams", ("team:team", "team:member")
    SHARES = "shares", "Sharing and public links", ("sheet:share", "sheet:link")
    COMMENTS = "comments", "Comments", ("sheet:comment",)
    FILES = "files", "Exports and imports", ("sheet:rows", "workspace:audit")
    SHEETS = "sheets", "Sheets and columns", ("sheet:sheet", "sheet:column", "workspace:currency")
    JOBS = "jobs", "Background jobs", ("workspace:job",)

    @property
    def is_of_sheets(self) -> bool:
        """Whether some of it happens to a sheet, so that its owner may see it."""
        return any(subject.startswith("sheet:") for subject in self.subjects)

    @classmethod
    def of(cls, action: str) -> "Kind | None":
        """The kind of an action, None for one that this version does not know."""
        subject = action.rpartition(":")[0]
        return next((kind for kind in cls if subject in kind.subjects), None)


def _workspace(facts: Facts) -> str:
    return (
        "{by} shared {sheet} with everybody as {level}"
        if facts.get("level")
        else "{by} shares {sheet} no longer with everybody"
    )


def _manages(facts: Facts) -> str:
    return (
        "{by} made {whom} a manager of the team {team}"
        if facts.get("manager")
        else "{by} made {whom} a plain member of the team {team}"
    )


def _reach(facts: Facts) -> str:
    what = "is in the team {team} now{as_manager}" if facts.get("joined") else "manages the team {team} now"
    return f"More of {{sheet}} is shown: {{whom}} {what}"


def _limited(facts: Facts) -> str:
    return (
        "{by} limited column {column} of {sheet}: {limits}"
        if facts.get("limits")
        else "{by} shows column {column} of {sheet} to everybody"
    )


def _changed(facts: Facts) -> str:
    if "before" not in facts:
        return "{by} changed column {column} of {sheet}{changed}"
    return "{by} renamed column {before} of {sheet} to {column}" + (
        "{changed}" if facts.get("changed", ["name"]) != ["name"] else ""
    )


def _registration(facts: Facts) -> str:
    who = (facts.get("rule") or {}).get("who")
    told = {"invited": "by invitation only", "domains": "with an address of {domains}", "open": "freely"}
    return f"{{by}} had people register {told.get(str(who), 'otherwise')}"


# By whom it was done, and how it reads where nobody was signed in.
SENTENCES: dict[str, str | tuple[str, str] | Callable[[Facts], str]] = {
    "account:session:start": "{by} signed in{how}",
    "account:session:end": "{by} signed out",
    "account:session:end-others": "{by} signed out everywhere else",
    "account:session:reuse": "A refresh token of {whom} was used twice; its session was ended",
    "account:session:revoke": "{by} signed {whom} out at one place",
    "account:session:revoke-all": "{by} signed {whom} out everywhere",
    "account:sign-in:fail": "A sign-in as {account} failed{step}",
    "account:sign-in:throttle": "Sign-ins from one network address were stopped for a while, the last as {account}",
    "account:user:create": ("{by} made an account for {whom} as {role}", "An account was made for {whom} as {role}"),
    "account:user:role": "{by} changed the role of {whom} from {old_role} to {role}",
    "account:user:rename": "{by} changed their name from {before} to {name}",
    "account:user:deactivate": "{by} deactivated {whom}",
    "account:user:reactivate": "{by} reactivated {whom}",
    "account:password:change": "{by} changed their password",
    "account:password:ask": "A link for a new password was asked for {account}",
    "account:password:reset": "{whom} set a new password by a link",
    "account:password:reset-link": "{by} had a link for a new password made for {whom}",
    "account:email:ask": "{by} asked for a letter to confirm the address {email}",
    "account:email:change": "{whom} changed their address from {old_email} to {email}",
    "account:email:verify": "{whom} confirmed the address {email}",
    "account:second-factor:on": "{by} switched two-factor sign-in on",
    "account:second-factor:off": "{by} switched two-factor sign-in off",
    "account:second-factor:renew": "{by} made new recovery codes",
    "account:second-factor:recover": "{whom} used a recovery code",
    "account:second-factor:reset": "{by} reset the two-factor sign-in of {whom}",
    "account:provider:link": "{whom} linked their account at the provider",
    "account:provider:unlink": "{by} unlinked their account at the provider",
    "account:token:create": "{by} made the API token {name} ({scope}, for {days})",
    "account:token:revoke": "{by} revoked the API token {name}",
    "account:token:revoke-all": "{by} revoked all their API tokens",
    "account:invitation:create": ("{by} invited {email} as {role}", "A link for the first administrator was made"),
    "account:invitation:revoke": (
        "{by} withdrew the invitation of {email}",
        "The invitation of {email} ended together with every access of {whom}, who had sent it",
    ),
    "account:invitation:accept": "{whom} accepted an invitation",
    "account:registration:change": _registration,
    "account:registration:ask": "{email} asked for a letter to register",
    "team:team:create": "{by} made the team {team}",
    "team:team:rename": "{by} renamed the team {before} to {name}",
    "team:team:delete": "{by} dissolved the team {team}",
    "team:member:add": "{by} put {whom} into the team {team}{as_manager}",
    "team:member:manage": _manages,
    "team:member:offer": "{by} offered {whom} the team {team}{as_manager}",
    "team:member:accept": "{by} accepted the team {team}",
    "team:member:decline": "{by} declined the team {team}",
    "team:member:remove": "{by} took {whom} out of the team {team}",
    "sheet:share:grant": "{by} shared {sheet} with {whom} as {level}{rows_of}",
    "sheet:share:revoke": "{by} took {sheet} away from {whom}",
    "sheet:share:workspace": _workspace,
    "sheet:share:reach": _reach,
    "sheet:share:transfer": "{by} made {whom} the owner of {sheet}, after {heir_of}",
    "sheet:link:create": "{by} made the public link {link} to {sheet}{guarded}",
    "sheet:link:change": "{by} changed the public link {link} to {sheet}",
    "sheet:link:revoke": "{by} revoked the public link {link} to {sheet}",
    "sheet:link:open": "{by} opened {sheet}",
    "sheet:link:fail": "A wrong password was given for the public link {link} to {sheet}",
    "sheet:link:throttle": "Guesses at the password of the public link {link} to {sheet} were stopped for a while",
    "sheet:comment:add": "{by} commented on row {row} of {sheet}",
    "sheet:comment:edit": "{by} changed their comment on row {row} of {sheet}",
    "sheet:comment:delete": "{by} deleted a comment on row {row} of {sheet}",
    "sheet:rows:export": "{by} exported {count} of {sheet} as {format}",
    "sheet:rows:import": "{by} imported {count} into {sheet}",
    "workspace:audit:export": "{by} exported {count} of the audit trail",
    "workspace:job:cancel": "{by} cancelled a background job ({kind})",
    "workspace:job:run-again": "{by} ran a background job again ({kind})",
    "workspace:currency:change": "{by} made {currency} the currency of new columns of money, after {old_currency}",
    "sheet:sheet:create": "{by} created the sheet {sheet}",
    "sheet:sheet:rename": "{by} renamed the sheet {before} to {name}",
    "sheet:sheet:describe": "{by} changed the description of {sheet}",
    "sheet:sheet:configure": "{by} changed which columns have a part in {sheet}",
    "sheet:sheet:archive": "{by} archived {sheet}",
    "sheet:sheet:restore": "{by} restored {sheet} from the archive",
    "sheet:column:add": "{by} added {names} to {sheet}",
    "sheet:column:change": _changed,
    "sheet:column:reorder": "{by} reordered the columns of {sheet}",
    "sheet:column:limit": _limited,
    "sheet:column:retire": "{by} took column {column} out of {sheet}",
    "sheet:column:restore": "{by} brought column {column} back into {sheet}",
}


@dataclass(frozen=True)
class Names:
    """What people, sheets and so on that events speak of are called now; what is gone is called by its number."""

    people: dict[int, str] = field(default_factory=dict)
    sheets: dict[int, str] = field(default_factory=dict)
    teams: dict[int, str] = field(default_factory=dict)
    links: dict[int, str] = field(default_factory=dict)
    columns: dict[tuple[int, int], str] = field(default_factory=dict)

    @classmethod
    def of(cls, session: Session, events: Iterable[AuditEvent]) -> Self:
        """For these events, by one query for each kind of name that they need."""
        told = list(events)
        facts = [event.facts for event in told]
        people = {event.actor_id for event in told} | {one.get(name) for one in facts for name in ("user", "before")}
        columns = {(event.sheet_id, event.facts.get("column")) for event in told}
        return cls(
            _read(session, User.user_id, User.name, people),
            _read(session, Sheet.sheet_id, Sheet.name, {event.sheet_id for event in told}),
            _read(session, Team.team_id, Team.name, {one.get("team") for one in facts}),
            _read(session, PublicLink.link_id, PublicLink.name, {one.get("link") for one in facts}),
            _columns(session, {(s, c) for s, c in columns if isinstance(s, int) and isinstance(c, int)}),
        )


def sentence(event: AuditEvent, names: Names) -> str:
    """The event in words, as plain text; one that has none as it is called."""
    told = SENTENCES.get(event.action, event.action.replace("{", "(").replace("}", ")"))
    if callable(told):
        told = told(event.facts)
    elif isinstance(told, tuple):
        told = told[event.actor_id is None]
    return told.format_map(_Words(event, names))


def by_whom(event: AuditEvent, names: Names) -> str | None:
    """Who did it: a person, or the visitor of a link; None where nobody was signed in."""
    if event.actor_id is not None:
        return names.people.get(event.actor_id, f"Person {event.actor_id}")
    return f"A visitor of the link {_link(event, names)}" if "visit" in event.facts else None


def to_whom(event: AuditEvent, names: Names) -> str | None:
    """The person, team or address that it was done to."""
    facts = event.facts
    if "user" in facts:
        return names.people.get(facts["user"], str(facts.get("email") or f"person {facts['user']}"))
    if "team" in facts:
        return names.teams.get(facts["team"], str(facts.get("name") or f"team {facts['team']}"))
    found = facts.get("email") or facts.get("account")
    return str(found) if found else None


class _Words(dict[str, str]):
    """What the sentences are filled with, each made when it is asked for."""

    def __init__(self, event: AuditEvent, names: Names) -> None:
        self.event, self.names, self.facts = event, names, event.facts

    def __missing__(self, word: str) -> str:
        made = _MADE.get(word)
        return made(self) if made else str(self.facts.get(word) or "nobody knows what")


def _read(session: Session, number: Any, name: Any, wanted: set[Any]) -> dict[int, str]:
    known = {one for one in wanted if type(one) is int}
    return dict(session.execute(select(number, name).where(number.in_(known))).tuples().all()) if known else {}


def _columns(session: Session, wanted: set[tuple[int, int]]) -> dict[tuple[int, int], str]:
    key = tuple_(Column.sheet_id, Column.column_id)
    found: Any = (
        session.execute(select(Column.sheet_id, Column.column_id, Column.name).where(key.in_(wanted))) if wanted else []
    )
    return {(sheet_id, column_id): name for sheet_id, column_id, name in found}


def _quoted(text: object) -> str:
    return f"“{text}”"


def _link(event: AuditEvent, names: Names) -> str:
    number = event.facts.get("link")
    return _quoted(event.facts.get("name") or names.links.get(number or 0) or f"number {number}")


def _sheet(words: _Words) -> str:
    number = words.event.sheet_id or 0
    return _quoted(words.names.sheets.get(number) or words.facts.get("name") or f"sheet {number}")


def _column(words: _Words) -> str:
    number = words.facts.get("column")
    now = words.names.columns.get((words.event.sheet_id or 0, number or 0))
    return _quoted(words.facts.get("name") or now or f"number {number}")


def _label(words: Any, name: str) -> str:
    """The label of a role, level or row scope, in a sentence."""
    value = str(words.facts.get(name))
    return next((str(one.label).lower() for kind in (Role, Level) for one in kind if one.value == value), value)


def _limits(words: _Words) -> str:
    return ", ".join(
        f"{limit} for {Audience(audience).label.lower()}" for audience, limit in sorted(words.facts["limits"].items())
    )


def _several(words: _Words) -> str:
    called = [_quoted(name) for name in words.facts.get("names", [])]
    shown = ", ".join(called[:5]) + (f" and {len(called) - 5} more" if len(called) > 5 else "")
    return f"column{'s' if len(called) > 1 else ''} {shown}"


def _count(words: _Words) -> str:
    count, thing = words.facts.get("rows", 0), "event" if words.event.action == "workspace:audit:export" else "row"
    return f"{count} {thing}{'' if count == 1 else 's'}"


def _rows_of(words: _Words) -> str:
    value = words.facts.get("rows")
    return next((f", {one.label.lower()}" for one in RowScope if one.value == value and one is not RowScope.ALL), "")


_MADE: dict[str, Callable[[_Words], str]] = {
    "by": lambda words: by_whom(words.event, words.names) or "Somebody",
    "whom": lambda words: to_whom(words.event, words.names) or "somebody",
    "heir_of": lambda words: words.names.people.get(words.facts.get("before", 0), "somebody"),
    "sheet": _sheet,
    "column": _column,
    "link": lambda words: _link(words.event, words.names),
    "team": lambda words: _quoted(words.facts.get("name") or words.names.teams.get(words.facts.get("team", 0), "")),
    "name": lambda words: _quoted(words.facts.get("name", "")),
    "before": lambda words: _quoted(words.facts.get("before", "")),
    "old_currency": lambda words: str(words.facts.get("before", "another")),
    "old_email": lambda words: str(words.facts.get("before", "")),
    "names": _several,
    "role": lambda words: _label(words, "role"),
    "old_role": lambda words: _label(words, "before"),
    "level": lambda words: _label(words, "level"),
    "rows_of": _rows_of,
    "limits": _limits,
    "count": _count,
    "format": lambda words: str(words.facts.get("format", "")).upper(),
    "changed": lambda words: f" ({', '.join(words.facts['changed'])})" if words.facts.get("changed") else "",
    "how": lambda words: " through the API" if words.facts.get("kind") == "api" else "",
    "step": lambda words: " at its code" if words.facts.get("code") else "",
    "days": lambda words: f"{words.facts.get('days')} day{'' if words.facts.get('days') == 1 else 's'}",
    "domains": lambda words: ", ".join((words.facts.get("rule") or {}).get("domains", [])),
    "as_manager": lambda words: " as its manager" if words.facts.get("manager") else "",
    "guarded": lambda words: ", with a password" if words.facts.get("password") else "",
}
