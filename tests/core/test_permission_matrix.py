"""Every function of core that takes an actor, as every principal: done where its line says so, else without a trace."""

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

import core
from core.access.access import Access
from core.base.actor import Actor, Principal, Visitor
from core.base.errors import NotFound, Refused
from core.base.permissions import LEVEL_PERMISSIONS, ROLE_PERMISSIONS, Level, Permission, Role
from core.config.settings import settings
from tests.conftest import actor, make_deals, rolled_back
from tests.support.core.principals import (
    MARK,
    NOBODY,
    PEOPLE,
    PRINCIPALS,
    VISITOR,
    Own,
    becomes,
    gather,
    of_others,
    on_sheets,
    principal,
)
from tests.support.core.sheet_commands import ON_ROW_1, SHEET_COMMANDS, SHEET_READS
from tests.support.core.workspace_commands import PARTS, WORKSPACE_COMMANDS

ROOT = Path(core.__file__).parents[1]
COMMANDS = SHEET_COMMANDS | WORKSPACE_COMMANDS
CALLS = COMMANDS | SHEET_READS
VISITORS = LEVEL_PERMISSIONS[Level.LINK]
WRITTEN = text("SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) FROM pg_stat_xact_user_tables")


@pytest.fixture(scope="module")
def cast(shared_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Session, int]]:
    """Everybody and their sheet, once for all commands: what a test does is taken back."""
    with pytest.MonkeyPatch.context() as patch, rolled_back(shared_engine) as session:
        patch.setenv("CONTRIVANCE_DATA", str(tmp_path_factory.mktemp("matrix") / "data"))
        settings.cache_clear()
        yield session, gather(session, make_deals(session))
    settings.cache_clear()


@pytest.fixture
def session(cast: tuple[Session, int], shared_engine: Engine) -> Iterator[Session]:
    shared_engine.dispose()  # What is remembered of the sheet goes with the pool.
    cast[0].execute(text("SAVEPOINT before_the_test"))
    yield cast[0]
    cast[0].execute(text("ROLLBACK TO SAVEPOINT before_the_test"))
    cast[0].expunge_all()


@pytest.fixture
def sheet(cast: tuple[Session, int]) -> int:
    return cast[1]


@dataclass(frozen=True)
class Answer:
    """What became of who asked, what they were told, and whether anything was written, of other people's too."""

    became: str
    told: str = ""
    wrote: bool = False
    touched_others: bool = False


def asked(session: Session, sheet: int, command: str, who: str) -> Answer:
    """Have a principal ask, and take everything back afterwards."""
    needs, run = CALLS[command]
    someone = principal(session, who, sheet, at_the_door=not on_sheets(needs))
    if who == "Gus" and someone is None:
        return Answer("is nobody")
    before, theirs = session.scalar(WRITTEN), of_others(session, someone) if isinstance(someone, Actor) else ""
    session.execute(text("SAVEPOINT asked"))
    told = ""
    try:
        became, told = "does", repr(run(session, someone, sheet))
    except Refused as refusal:
        became = type(refusal).__name__ if isinstance(someone, Actor) else "refused"
    except AttributeError as error:
        # Whoever is no person has no number and no role: what asks for them ends there.
        became = "refused" if innermost(error).is_relative_to(ROOT / "core") else repr(error)
    wrote = session.scalar(WRITTEN) != before
    touched = isinstance(someone, Actor) and of_others(session, someone) != theirs
    session.execute(text("ROLLBACK TO SAVEPOINT asked"))
    session.expunge_all()
    return Answer(became, told, wrote, touched)


def innermost(error: BaseException) -> Path:
    """The file in which an error arose."""
    frame = error.__traceback__
    while frame and frame.tb_next:
        frame = frame.tb_next
    return Path(frame.tb_frame.f_code.co_filename if frame else "")


def expected(command: str, who: str) -> str:
    if who in PEOPLE:
        return becomes(CALLS[command][0], who, on_row=command in ON_ROW_1)
    return "does" if lets_in(command, who) else "refused"


def lets_in(command: str, who: str) -> bool:
    """Whether a visitor or nobody may ask: the function's signature says so, and for a visitor, the level of links."""
    if command in SHEET_READS:
        return False
    parameters = inspect.signature(functions()[command.partition(" ")[0]]).parameters.values()
    taken = {one for given in parameters if Actor in get_args(given.annotation) for one in get_args(given.annotation)}
    return type(None) in taken if who == NOBODY else Visitor in taken and COMMANDS[command][0] in VISITORS


@pytest.mark.parametrize("command", CALLS)
def test_a_command_obeys_the_permission_table(session: Session, sheet: int, command: str) -> None:
    answers = {who: asked(session, sheet, command, who) for who in PRINCIPALS}
    assert {who: answer.became for who, answer in answers.items()} == {
        who: expected(command, who) for who in PRINCIPALS
    }
    assert [who for who, answer in answers.items() if answer.wrote and answer.became != "does"] == []


@pytest.mark.parametrize("command", [name for name, (needs, _) in COMMANDS.items() if isinstance(needs, Own)])
def test_what_is_ones_own_tells_and_touches_nothing_of_others(session: Session, sheet: int, command: str) -> None:
    needs = COMMANDS[command][0]
    assert isinstance(needs, Own)
    others = [who for who in PEOPLE if who != "Ann" and needs.but not in ROLE_PERMISSIONS[PEOPLE[who][0]]]
    assert [who for who in others if MARK in asked(session, sheet, command, who).told] == []
    assert [who for who in PEOPLE if asked(session, sheet, command, who).touched_others] == []


def test_what_is_ones_own_names_nobody_else() -> None:
    own = [name for name, (needs, _) in COMMANDS.items() if not isinstance(needs, Permission | tuple)]
    naming = {name for name in own if "user_id" in inspect.signature(functions()[name]).parameters}
    assert naming == set(), "Whoever is named is another person: a permission is needed for that."


def test_what_is_anns_is_told_to_ann(session: Session, sheet: int) -> None:
    """So that the test before would see it told to others."""
    told = {name for name in WORKSPACE_COMMANDS if MARK in asked(session, sheet, name, "Ann").told}
    assert told >= {
        "sign_in.api_tokens.my_tokens",
        "sign_in.oidc_identities.my_identities",
        "credentials.sessions.my_sessions",
        "sheets.sheets.sheets",
    }
    assert told >= {"audit.trail.audited_sheets", "edits.operation.kept_answer"}


@pytest.mark.parametrize("command", SHEET_COMMANDS | SHEET_READS)
def test_a_deactivated_owner_may_nothing(session: Session, sheet: int, command: str) -> None:
    session.execute(text("UPDATE users SET is_active = false WHERE name = 'Ann'"))
    with pytest.raises(NotFound):
        CALLS[command][1](session, actor("Ann"), sheet)


def test_every_function_that_takes_an_actor_stands_in_the_table() -> None:
    """With what it needs: a permission, that it is one's own, or, for a part of commands, why it need not look."""
    known = {name.split(" ")[0] for name in COMMANDS} | PARTS.keys()
    assert sorted(functions().keys() - known) == []
    assert sorted(known - functions().keys()) == []


def test_pages_and_the_api_name_no_part_of_a_command() -> None:
    parts = {tuple(f"core.{name}".rsplit(".", 1)) for name in PARTS}
    files = [path for folder in ("pages", "api") for path in (ROOT / folder).rglob("*.py")]
    assert [(path.name, one) for path in files for one in named_in(path) if one in parts] == []


def named_in(path: Path) -> Iterator[tuple[str, str]]:
    """Every (module, name) of core that a file imports, or reaches for in a module that it imports."""
    tree, modules = ast.parse(path.read_text()), dict[str, str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("core"):
            yield from ((str(node.module), alias.name) for alias in node.names)
            modules |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
            yield modules[node.value.id], node.attr


@cache
def functions() -> dict[str, Callable[..., Any]]:
    """Every public function and method of core that takes somebody who acts."""
    found = {}
    for info in pkgutil.walk_packages(core.__path__, "core."):
        module = importlib.import_module(info.name)
        for name, function in public(module, info.name):
            if set(spoken_of(function)) & {Actor, Visitor} or "actor" in inspect.signature(function).parameters:
                found[f"{info.name.removeprefix('core.')}.{name}"] = function
    return found


def public(module: Any, name: str) -> Iterator[tuple[str, Callable[..., Any]]]:
    for called, one in vars(module).items():
        if called.startswith("_") or getattr(one, "__module__", None) != name:
            continue
        if inspect.isfunction(one):
            yield called, one
        elif inspect.isclass(one):
            yield from ((f"{called}.{n}", f) for n, f in vars(one).items() if inspect.isfunction(f) and n[0] != "_")


def spoken_of(function: Callable[..., Any]) -> Iterator[Any]:
    """Every type that the parameters of a function speak of, in whatever they are wrapped."""
    yield from within([one.annotation for one in inspect.signature(function).parameters.values()])


def within(hint: Any) -> Iterator[Any]:
    """An Access was given by the gate to whom it names: what takes one need not ask again."""
    if isinstance(hint, list):
        for one in hint:
            yield from within(one)
    elif isinstance(hint, str):
        yield from (known for name, known in SPELT.items() if re.search(rf"\b{name}\b", hint))
    elif is_dataclass(hint) and not (isinstance(hint, type) and issubclass(hint, Access | Actor | Visitor)):
        yield from within([one.type for one in fields(hint)])
    else:
        yield hint
        yield from within([*get_args(hint)])


SPELT = {"Actor": Actor, "Visitor": Visitor, "Principal": Actor}


def test_a_newcomer_is_seen_however_it_takes_its_actor() -> None:
    def peek_at(session: Session, actor: Actor, user_id: int) -> str: ...
    def look(user_id: int, *, who: Actor | None = None) -> str: ...
    def spelt(session: Session, askers: "list[Principal]") -> str: ...
    def by_name(actor, user_id: int) -> str: ...  # type: ignore[no-untyped-def]

    assert all(Actor in set(spoken_of(one)) for one in (peek_at, look, spelt))
    assert "actor" in inspect.signature(by_name).parameters
    assert Actor in set(spoken_of(functions()["edits.write.write_round"]))


def test_the_cast_has_every_role_and_every_level() -> None:
    assert {role for role, _ in PEOPLE.values()} == set(Role)
    assert {level for _, level in PEOPLE.values() if level} | {Level.LINK} == set(Level)
    assert VISITOR in PRINCIPALS
