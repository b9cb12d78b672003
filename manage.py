"""Commands for the operator: `python manage.py migrate | doctor | worker | create-user | seed | verify-audit`."""

import argparse
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event

from core.accounts.accounts import create_user
from core.audit import chain
from core.background.job_types import job_types
from core.base.errors import Refused
from core.base.logs import configure_logs
from core.base.permissions import Role
from core.config.running_servers import running_server_urls
from core.config.settings import InvalidSetting, Settings, require_existing, settings
from core.demo.seed import seed
from core.jobs.worker import Worker
from core.mail.smtp import SmtpTransport, mail_transport
from db import disk
from db.embedded.server import Urls
from db.embedded.waiting import DatabaseUnavailable
from db.engine import bind, driver_url, make_engine, transaction
from db.migrate import expected_revision
from db.start import app_engine, check_schema, check_version, connected, database, open_engine


def main(arguments: list[str] | None = None) -> int:
    """Run one command. Return 0 on success; on failure print one sentence and return 1."""
    options = parser().parse_args(arguments)
    try:
        if options.is_read_only:
            require_existing(os.environ)
        options.command(settings(), options)
    except (InvalidSetting, DatabaseUnavailable, Refused) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def parser() -> argparse.ArgumentParser:
    """Return the parser with all commands and their options."""
    root = argparse.ArgumentParser(prog="manage.py", description=__doc__)
    root.set_defaults(is_read_only=False)
    commands = root.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("migrate", help="bring the database to the schema that this version expects")
    command.set_defaults(command=run_migrate)
    command = commands.add_parser("doctor", help="check settings, data folder and database, and change nothing")
    command.set_defaults(command=run_doctor, is_read_only=True)
    command = commands.add_parser("worker", help="run background jobs until Ctrl+C or SIGTERM")
    command.set_defaults(command=run_worker)
    command = commands.add_parser("seed", help="fill an empty workspace with the demo")
    command.set_defaults(command=run_seed)
    command = commands.add_parser("verify-audit", help="check that nobody has changed the audit trail afterwards")
    command.add_argument("--since", metavar="HASH", help="an earlier head; what lies before it is taken as checked")
    command.add_argument(
        "--head", metavar="HASH", help="an earlier head, kept elsewhere, that must still be in the chain"
    )
    command.set_defaults(command=run_verify_audit, is_read_only=True)
    command = commands.add_parser("create-user", help="create an account")
    command.add_argument("--email", required=True)
    command.add_argument("--name", required=True)
    command.add_argument("--role", choices=[role.value for role in Role], default=Role.MEMBER.value)
    command.add_argument("--password-stdin", action="store_true", required=True, help="read the password from one line")
    command.set_defaults(command=run_create_user)
    return root


def run_migrate(config: Settings, _options: argparse.Namespace) -> None:
    """Migrate the schema, as the owner of the database."""
    with opened_database(config):
        print(f"The database has schema version {expected_revision()}.")


def run_doctor(config: Settings, _options: argparse.Namespace) -> None:
    """Print what was checked. The first problem ends the command with its sentence."""
    print(f"Settings: good. Data folder {config.data}.")
    addresses = " and ".join(running_server_urls(config.data))
    print(f"Server: {f'runs at {addresses}' if addresses else f'none runs; a start would serve at {config.url}'}.")
    transport = mail_transport()
    mail = (
        f"by {transport.host}" if isinstance(transport, SmtpTransport) else "none, e-mails are printed on the console"
    )
    print(f"Mail: {mail}.")
    print(f"Background jobs: run by {'the server' if config.runs_jobs else '`python manage.py worker`'}.")
    space = shutil.disk_usage(config.data)
    free = f"{space.free // 2**20:,} MB free of {space.total // 2**20:,} MB"
    note = "" if config.embedded else "; that of the external database cannot be checked from here"
    print(f"Disk of the data folder: {free}{note}.")
    with database(config.database_url, config.app_database_url, config.data) as urls:
        print(f"Database: {'built in' if config.embedded else 'external'}, {_state(urls)}.")
    if disk.is_nearly_full(space.total, space.free):
        raise InvalidSetting(
            f"Everything else is in order, but the disk of {config.data} is nearly full: {free}. Make room."
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


def run_worker(config: Settings, _options: argparse.Namespace) -> None:
    """Run background jobs until Ctrl+C or SIGTERM. Running jobs are then given back."""
    configure_logs(config.log_level)
    stopped = Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stopped.set())
    with opened_database(config) as urls:
        worker = Worker(job_types(urls.owner), transaction, driver_url(urls.app).replace("+psycopg", ""))
        with transaction() as session:
            worker.schedule(session)
        worker.start()
        print("The worker runs background jobs. Ctrl+C ends it.", flush=True)
        stopped.wait()
        worker.stop()


def run_seed(config: Settings, _options: argparse.Namespace) -> None:
    """Make the demo in a workspace without sheets; finish one that was interrupted."""
    _announce_new_database(config)
    with database(config.database_url, config.app_database_url, config.data) as urls:
        open_engine(urls).dispose()
        owner = make_engine(urls.owner, role=None, statement_timeout="0")
        seed(owner, today=datetime.now(UTC).date(), on_progress=_print_progress)
        owner.dispose()
    print("The demo workspace is there, unless the workspace has sheets of its own.")


def _print_progress(done: int, total: int) -> None:
    print(f"\r{done} of {total} steps", end="\n" if done == total else "", flush=True)


def run_verify_audit(config: Settings, options: argparse.Namespace) -> None:
    """Recompute the chain over the audit trail. The first break ends the command with its sentence."""
    with database(config.database_url, config.app_database_url, config.data) as urls:
        owner = make_engine(urls.owner, role=None, statement_timeout="0")
        with connected(owner, urls.owner) as connection:
            if check_schema(connection):
                raise DatabaseUnavailable("The database has an older schema. Run `python manage.py migrate` first.")
        trail = chain.verify(owner, since=options.since, head=options.head)
        owner.dispose()
    checked = f" ({trail.checked} checked)" if options.since else ""
    print(f"{trail.events} events{checked}, head {trail.head}")


def run_create_user(config: Settings, options: argparse.Namespace) -> None:
    """Create an account with a password from standard input: it never appears in a list of processes or a history."""
    password = sys.stdin.readline().rstrip("\r\n")
    with opened_database(config), transaction() as session:
        create_user(session, None, email=options.email, name=options.name, role=Role(options.role), password=password)
    addresses = " or ".join([config.public_url] if config.public_url else running_server_urls(config.data))
    print(f"{options.name} can sign in as {options.email} {f'at {addresses}' if addresses else _LATER}.")


_LATER = "when a server of this data folder runs; its start prints the address"


def _announce_new_database(config: Settings) -> None:
    """Print that a database is made, so that a mistyped path is noticed."""
    if config.embedded and not (config.data / "postgres").exists():
        print(f"{config.data} has no database yet: a new one is made.")


@contextmanager
def opened_database(config: Settings) -> Iterator[Urls]:
    """Open the migrated database for the time of a command, beside a running server if there is one."""
    _announce_new_database(config)
    with database(config.database_url, config.app_database_url, config.data) as urls:
        engine = open_engine(urls)
        bind(engine)
        try:
            yield urls
        finally:
            engine.dispose()


if __name__ == "__main__":
    sys.exit(main())
