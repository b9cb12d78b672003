"""Commands for whoever runs the server: `python manage.py migrate | doctor | create-user | seed | verify-audit`."""

import argparse
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from sqlalchemy import Engine

from core.accounts.accounts import create_user
from core.audit import chain
from core.base.errors import Refused
from core.base.permissions import Role
from core.config.running_servers import running_server_urls
from core.config.settings import InvalidSetting, Settings, require_existing, settings
from core.demo.seed import seed
from core.mail.smtp import Smtp, post
from db import disk
from db.embedded.server import Urls
from db.embedded.waiting import DatabaseUnavailable
from db.engine import bind, make_engine, transaction
from db.migrate import expected_revision
from db.start import app_engine, check_schema, check_version, connected, database, open_engine


def main(arguments: list[str] | None = None) -> int:
    """Run one command. 0 when it is done; 1 with one sentence when it is not."""
    given = parser().parse_args(arguments)
    try:
        if given.only_looks:
            require_existing(os.environ)
        given.command(settings(), given)
    except (InvalidSetting, DatabaseUnavailable, Refused) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def parser() -> argparse.ArgumentParser:
    """The commands and what they take."""
    made = argparse.ArgumentParser(prog="manage.py", description=__doc__)
    made.set_defaults(only_looks=False)
    commands = made.add_subparsers(required=True, metavar="COMMAND")
    add = commands.add_parser("migrate", help="bring the database to the schema that this version expects")
    add.set_defaults(command=run_migrate)
    add = commands.add_parser("doctor", help="check settings, data folder and database, and change nothing")
    add.set_defaults(command=run_doctor, only_looks=True)
    add = commands.add_parser("seed", help="fill an empty workspace with the demo")
    add.set_defaults(command=run_seed)
    add = commands.add_parser("verify-audit", help="check that nobody has changed the audit trail afterwards")
    add.add_argument("--since", metavar="HASH", help="an earlier head; what lies before it is taken as checked")
    add.add_argument("--head", metavar="HASH", help="an earlier head, kept elsewhere, that must still be in the chain")
    add.set_defaults(command=run_verify_audit, only_looks=True)
    add = commands.add_parser("create-user", help="make an account")
    add.add_argument("--email", required=True)
    add.add_argument("--name", required=True)
    add.add_argument("--role", choices=[role.value for role in Role], default=Role.MEMBER.value)
    add.add_argument("--password-stdin", action="store_true", required=True, help="read the password from one line")
    add.set_defaults(command=run_create_user)
    return made


def run_migrate(ours: Settings, _given: argparse.Namespace) -> None:
    """The schema, as the owner of the database."""
    with opened(ours):
        print(f"The database has schema version {expected_revision()}.")


def run_doctor(ours: Settings, _given: argparse.Namespace) -> None:
    """Say what was looked at; the first thing that is wrong ends it with its sentence."""
    print(f"Settings: good. Data folder {ours.data}.")
    running = " and ".join(running_server_urls(ours.data))
    print(f"Server: {f'runs at {running}' if running else f'none runs; a start would serve at {ours.url}'}.")
    where = post()
    print(f"Mail: {f'by {where.host}' if isinstance(where, Smtp) else 'none, letters are printed on the console'}.")
    space = shutil.disk_usage(ours.data)
    free = f"{space.free // 2**20:,} MB free of {space.total // 2**20:,} MB"
    elsewhere = "" if ours.embedded else "; that of the external database cannot be seen from here"
    print(f"Disk of the data folder: {free}{elsewhere}.")
    with database(ours.database_url, ours.app_database_url, ours.data) as urls:
        print(f"Database: {'built in' if ours.embedded else 'external'}, {_state(urls)}.")
    if disk.is_nearly_full(space.total, space.free):
        raise InvalidSetting(
            f"Everything else is in order, but the disk of {ours.data} is nearly full: {free}. Make room."
        )
    print("Everything is in order.")


def _state(urls: Urls) -> str:
    owner = make_engine(urls.owner, role=None)
    with connected(owner, urls.owner) as connection:
        check_version(connection)
        outdated = check_schema(connection)
    owner.dispose()
    if outdated:
        return f"its schema becomes version {expected_revision()} at the next start"
    app_engine(urls).dispose()
    return f"schema version {expected_revision()}, the application's role is limited"


def run_seed(ours: Settings, _given: argparse.Namespace) -> None:
    """The demo workspace, where there is no sheet yet; one that was cut off is finished."""
    _tell_of_new(ours)
    with database(ours.database_url, ours.app_database_url, ours.data) as urls:
        open_engine(urls).dispose()
        owner = make_engine(urls.owner, role=None, statement_timeout="0")
        seed(owner, today=datetime.now(UTC).date(), tell=_tell)
        owner.dispose()
    print("The demo workspace is there, unless the workspace has sheets of its own.")


def _tell(done: int, total: int) -> None:
    print(f"\r{done} of {total} steps", end="\n" if done == total else "", flush=True)


def run_verify_audit(ours: Settings, given: argparse.Namespace) -> None:
    """Recompute the chain over the audit trail; the first break ends it with its sentence. Keep the head elsewhere."""
    with database(ours.database_url, ours.app_database_url, ours.data) as urls:
        owner = make_engine(urls.owner, role=None, statement_timeout="0")
        with connected(owner, urls.owner) as connection:
            if check_schema(connection):
                raise DatabaseUnavailable("The database has an older schema. Run `python manage.py migrate` first.")
        found = chain.verify(owner, since=given.since, head=given.head)
        owner.dispose()
    checked = f" ({found.checked} checked)" if given.since else ""
    print(f"{found.events} events{checked}, head {found.head}")


def run_create_user(ours: Settings, given: argparse.Namespace) -> None:
    """An account with a password from standard input, so that it stands in no list of processes and no history."""
    password = sys.stdin.readline().rstrip("\r\n")
    with opened(ours), transaction() as session:
        create_user(session, None, email=given.email, name=given.name, role=Role(given.role), password=password)
    where = " or ".join([ours.public_url] if ours.public_url else running_server_urls(ours.data))
    print(f"{given.name} can sign in as {given.email} {f'at {where}' if where else _LATER}.")


_LATER = "when a server of this data folder runs; its start prints the address"


def _tell_of_new(ours: Settings) -> None:
    """A path that was mistyped is seen by this line."""
    if ours.embedded and not (ours.data / "postgres").exists():
        print(f"There is no database in {ours.data} yet: a new one is made.")


@contextmanager
def opened(ours: Settings) -> Iterator[Engine]:
    """The database, migrated, for the time of a command. A server that runs beside it goes on."""
    _tell_of_new(ours)
    with database(ours.database_url, ours.app_database_url, ours.data) as urls:
        engine = open_engine(urls)
        bind(engine)
        try:
            yield engine
        finally:
            engine.dispose()


if __name__ == "__main__":
    sys.exit(main())
