"""The sentence of each audit event, with current names."""

from collections.abc import Callable, Mapping
from typing import Any

from core.audit.names import Names, by_whom, link_name, quoted, to_whom
from core.base.permissions import Audience, Level, Role, RowScope
from core.column_types import TYPES
from db.tables.sheets import AuditEvent

Facts = Mapping[str, Any]


def _workspace(facts: Facts) -> str:
    return (
        "{by} shared {sheet} with everybody as {level}"
        if facts.get("level")
        else "{by} stopped sharing {sheet} with everybody"
    )


def _manages(facts: Facts) -> str:
    return (
        "{by} made {whom} a manager of the team {team}"
        if facts.get("manager")
        else "{by} made {whom} a member without management of the team {team}"
    )


def _reach(facts: Facts) -> str:
    change = "joined the team {team}{as_manager}" if facts.get("joined") else "became a manager of the team {team}"
    return f"More of {{sheet}} became visible: {{whom}} {change}"


def _limited(facts: Facts) -> str:
    return (
        "{by} limited column {column} of {sheet}: {limits}"
        if facts.get("limits")
        else "{by} removed all limits of column {column} of {sheet}"
    )


def _changed(facts: Facts) -> str:
    if "before" not in facts:
        return "{by} changed column {column} of {sheet}{changed}"
    return "{by} renamed column {before} of {sheet} to {column}" + (
        "{changed}" if facts.get("changed", ["name"]) != ["name"] else ""
    )


def _registration(facts: Facts) -> str:
    rule = str((facts.get("rule") or {}).get("who"))
    allowed = {
        "invited": "by invitation only",
        "domains": "with an e-mail address of {domains}",
        "open": "for everyone",
    }
    return f"{{by}} changed registration: {allowed.get(rule, 'another rule')}"


# A pair: the sentence with an actor, and the one where nobody was signed in.
SENTENCES: dict[str, str | tuple[str, str] | Callable[[Facts], str]] = {
    "account:session:start": "{by} signed in{how}",
    "account:session:end": "{by} signed out",
    "account:session:end-others": "{by} signed out of all other sessions",
    "account:session:reuse": "A refresh token of {whom} was used twice; its session was ended",
    "account:session:revoke": "{by} ended a session of {whom}",
    "account:session:revoke-all": "{by} ended all sessions of {whom}",
    "account:sign-in:fail": "A sign-in as {account} failed{step}",
    "account:sign-in:throttle": "Sign-ins from one IP address were blocked for a while, the last as {account}",
    "account:user:create": (
        "{by} created an account for {whom} as {role}",
        "An account was created for {whom} as {role}",
    ),
    "account:user:role": "{by} changed the role of {whom} from {old_role} to {role}",
    "account:user:rename": "{by} changed their name from {before} to {name}",
    "account:user:deactivate": "{by} deactivated {whom}",
    "account:user:reactivate": "{by} reactivated {whom}",
    "account:password:change": "{by} changed their password",
    "account:password:ask": "A password reset link was requested for {account}",
    "account:password:reset": "{whom} reset their password by e-mail link",
    "account:password:reset-link": "{by} created a password reset link for {whom}",
    "account:email:ask": "{by} requested an e-mail to confirm the address {email}",
    "account:email:change": "{whom} changed their e-mail address from {old_email} to {email}",
    "account:email:verify": "{whom} confirmed the e-mail address {email}",
    "account:second-factor:on": "{by} turned on two-factor sign-in",
    "account:second-factor:off": "{by} turned off two-factor sign-in",
    "account:second-factor:renew": "{by} created new recovery codes",
    "account:second-factor:recover": "{whom} used a recovery code",
    "account:second-factor:reset": "{by} reset the two-factor sign-in of {whom}",
    "account:provider:link": "{whom} linked their account to the identity provider",
    "account:provider:unlink": "{by} unlinked their account from the identity provider",
    "account:token:create": "{by} created the API token {name} ({scope}, for {days})",
    "account:token:revoke": "{by} revoked the API token {name}",
    "account:token:revoke-all": "{by} revoked all their API tokens",
    "account:invitation:create": ("{by} invited {email} as {role}", "A link for the first administrator was created"),
    "account:invitation:revoke": (
        "{by} withdrew the invitation of {email}",
        "The invitation of {email} ended because {whom}, who sent it, lost access",
    ),
    "account:invitation:accept": "{whom} accepted an invitation",
    "account:registration:change": _registration,
    "account:registration:ask": "{email} requested an e-mail to register",
    "team:team:create": "{by} created the team {team}",
    "team:team:rename": "{by} renamed the team {before} to {name}",
    "team:team:delete": "{by} deleted the team {team}",
    "team:member:add": "{by} added {whom} to the team {team}{as_manager}",
    "team:member:manage": _manages,
    "team:member:offer": "{by} invited {whom} to the team {team}{as_manager}",
    "team:member:accept": "{by} accepted the offer to join the team {team}",
    "team:member:decline": "{by} declined the offer to join the team {team}",
    "team:member:remove": "{by} removed {whom} from the team {team}",
    "sheet:share:grant": "{by} shared {sheet} with {whom} as {level}{rows_of}",
    "sheet:share:revoke": "{by} stopped sharing {sheet} with {whom}",
    "sheet:share:workspace": _workspace,
    "sheet:share:reach": _reach,
    "sheet:share:transfer": "{by} transferred {sheet} from {previous_owner} to {whom}",
    "sheet:link:create": "{by} created the public link {link} to {sheet}{guarded}",
    "sheet:link:change": "{by} changed the public link {link} to {sheet}",
    "sheet:link:revoke": "{by} revoked the public link {link} to {sheet}",
    "sheet:link:open": "{by} opened {sheet}",
    "sheet:link:fail": "A wrong password was entered for the public link {link} to {sheet}",
    "sheet:link:throttle": "Attempts at the password of the public link {link} to {sheet} were blocked for a while",
    "sheet:comment:add": "{by} commented on row {row} of {sheet}",
    "sheet:comment:edit": "{by} changed their comment on row {row} of {sheet}",
    "sheet:comment:delete": "{by} deleted a comment on row {row} of {sheet}",
    "sheet:rows:export": "{by} exported {count} of {sheet} as {format}",
    "sheet:rows:import": "{by} imported {count} into {sheet}",
    "workspace:audit:export": "{by} exported {count} of the audit trail",
    "workspace:job:cancel": "{by} cancelled a background job ({kind})",
    "workspace:job:run-again": "{by} ran a background job again ({kind})",
    "workspace:rates:change": "{by} changed exchange rates: {rates}",
    "workspace:settings:change": "{by} changed the workspace: {settings}",
    "workspace:currency:change": "{by} changed the currency of new money columns from {old_currency} to {currency}",
    "sheet:sheet:create": "{by} created the sheet {sheet}",
    "sheet:sheet:copy": "{by} made a copy of {sheet} with {count}",
    "workspace:template:save": "{by} saved {sheet} as the template {name}",
    "workspace:template:delete": "{by} deleted the template {name}",
    "sheet:sheet:rename": "{by} renamed the sheet {before} to {name}",
    "sheet:sheet:describe": "{by} changed the description of {sheet}",
    "sheet:sheet:configure": "{by} changed the pipeline and owner columns of {sheet}",
    "sheet:sheet:archive": "{by} archived {sheet}",
    "sheet:sheet:restore": "{by} restored {sheet} from the archive",
    "sheet:view:create": "{by} created the view {name} of {sheet}",
    "sheet:view:rename": "{by} renamed the view {before} of {sheet} to {name}",
    "sheet:view:change": "{by} saved changes of the view {name} of {sheet} for everyone",
    "sheet:view:share": "{by} made the view {name} of {sheet} a view for everyone",
    "sheet:view:unshare": "{by} made the view {name} of {sheet} a view of their own",
    "sheet:view:delete": "{by} deleted the view {name} of {sheet}",
    "sheet:column:add": "{by} added {names} to {sheet}",
    "sheet:column:change": _changed,
    "sheet:column:type": "{by} changed the type of column {column} of {sheet} from {old_type} to {new_type}",
    "sheet:column:reorder": "{by} reordered the columns of {sheet}",
    "sheet:column:limit": _limited,
    "sheet:column:retire": "{by} removed column {column} from {sheet}",
    "sheet:column:restore": "{by} restored column {column} of {sheet}",
}


def sentence(event: AuditEvent, names: Names) -> str:
    """Return the event as a sentence of plain text, or its action if this version has no sentence for it."""
    template = SENTENCES.get(event.action, event.action.replace("{", "(").replace("}", ")"))
    if callable(template):
        template = template(event.facts)
    elif isinstance(template, tuple):
        template = template[event.actor_id is None]
    return template.format_map(_Fillers(event, names))


class _Fillers(dict[str, str]):
    """Values for the placeholders of a sentence, computed on access."""

    def __init__(self, event: AuditEvent, names: Names) -> None:
        self.event, self.names, self.facts = event, names, event.facts

    def __missing__(self, word: str) -> str:
        filler = _FILLERS.get(word)
        return filler(self) if filler else str(self.facts.get(word) or "unknown")


def _sheet(words: _Fillers) -> str:
    sheet_id = words.event.sheet_id or 0
    return quoted(words.names.sheets.get(sheet_id) or words.facts.get("name") or f"sheet {sheet_id}")


def _column(words: _Fillers) -> str:
    column_id = words.facts.get("column")
    name = words.facts.get("name") or words.names.columns.get((words.event.sheet_id or 0, column_id or 0))
    return quoted(name or f"number {column_id}")


def _label(words: Any, name: str) -> str:
    """Return the label of a role or level in lower case."""
    value = str(words.facts.get(name))
    return next(
        (str(member.label).lower() for enum in (Role, Level) for member in enum if member.value == value), value
    )


def _limits(words: _Fillers) -> str:
    return ", ".join(
        f"{limit} for {Audience(audience).label.lower()}" for audience, limit in sorted(words.facts["limits"].items())
    )


def _column_names(words: _Fillers) -> str:
    names = [quoted(name) for name in words.facts.get("names", [])]
    listed = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return f"column{'s' if len(names) > 1 else ''} {listed}"


def _count(words: _Fillers) -> str:
    count, thing = words.facts.get("rows", 0), "event" if words.event.action == "workspace:audit:export" else "row"
    return f"{count} {thing}{'' if count == 1 else 's'}"


def _rows_of(words: _Fillers) -> str:
    value = words.facts.get("rows")
    return next(
        (f", {scope.label.lower()}" for scope in RowScope if scope.value == value and scope is not RowScope.ALL), ""
    )


def _type_label(name: Any) -> str:
    return TYPES[name].label.lower() if name in TYPES else str(name)


def _rates(words: _Fillers) -> str:
    stored, removed = words.facts.get("rates", 0), words.facts.get("removed", 0)
    counts = [f"{count} {what}" for count, what in ((stored, "stored"), (removed, "removed")) if count]
    return f"{' and '.join(counts)} ({', '.join(words.facts.get('currencies', []))})"


def _settings(words: _Fillers) -> str:
    changes = words.facts.get("changes", {})
    return ", ".join(f"{name.replace('_', ' ')} from {old} to {new}" for name, (old, new) in sorted(changes.items()))


_FILLERS: dict[str, Callable[[_Fillers], str]] = {
    "by": lambda words: by_whom(words.event, words.names) or "Unknown",
    "whom": lambda words: to_whom(words.event, words.names) or "an unknown person",
    "previous_owner": lambda words: words.names.people.get(words.facts.get("before", 0), "an unknown person"),
    "sheet": _sheet,
    "column": _column,
    "link": lambda words: link_name(words.event, words.names),
    "team": lambda words: quoted(words.facts.get("name") or words.names.teams.get(words.facts.get("team", 0), "")),
    "name": lambda words: quoted(words.facts.get("name", "")),
    "before": lambda words: quoted(words.facts.get("before", "")),
    "old_currency": lambda words: str(words.facts.get("before", "another")),
    "old_email": lambda words: str(words.facts.get("before", "")),
    "names": _column_names,
    "role": lambda words: _label(words, "role"),
    "old_role": lambda words: _label(words, "before"),
    "level": lambda words: _label(words, "level"),
    "rows_of": _rows_of,
    "limits": _limits,
    "old_type": lambda words: _type_label(words.facts.get("before")),
    "new_type": lambda words: _type_label(words.facts.get("after")),
    "rates": _rates,
    "settings": _settings,
    "count": _count,
    "format": lambda words: str(words.facts.get("format", "")).upper(),
    "changed": lambda words: f" ({', '.join(words.facts['changed'])})" if words.facts.get("changed") else "",
    "how": lambda words: " through the API" if words.facts.get("kind") == "api" else "",
    "step": lambda words: " at the second factor" if words.facts.get("code") else "",
    "days": lambda words: f"{words.facts.get('days')} day{'' if words.facts.get('days') == 1 else 's'}",
    "domains": lambda words: ", ".join((words.facts.get("rule") or {}).get("domains", [])),
    "as_manager": lambda words: " as its manager" if words.facts.get("manager") else "",
    "guarded": lambda words: ", with a password" if words.facts.get("password") else "",
}
