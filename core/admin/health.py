"""The state of the server, its database, disk and e-mail queue, for administrators."""

import shutil
from dataclasses import dataclass

from sqlalchemy import QueuePool, text
from sqlalchemy.orm import Session

from core.base.actor import Actor, require
from core.base.permissions import Permission
from core.config.settings import settings
from core.mail.smtp import ConsoleTransport, mail_transport
from core.presence.presence import STALE_AFTER
from db import disk
from db.engine import POOL_OVERFLOW, POOL_SIZE, bound_engine
from db.migrate import current_revision, expected_revision


@dataclass(frozen=True)
class SystemHealth:
    """The state of the installation. Sizes are in bytes; connections are those of this process."""

    database: str
    is_embedded: bool
    database_size: int
    schema: str
    expected_schema: str
    connections: int
    most_connections: int
    people_on_sheets: int
    open_sheets: int
    has_mail_server: bool
    letters_waiting: int
    letters_late: int  # Those waiting that the mail server has rejected before.
    letters_given_up: int  # In the last 30 days.
    jobs_overdue: int  # Due for a minute, and no worker runs them.
    data_folder: str
    disk_size: int
    disk_free: int

    @property
    def troubles(self) -> list[str]:
        """The problems that an administrator should fix, as sentences."""
        checks = {
            "The schema version of the database is not the expected one.": self.schema != self.expected_schema,
            disk.FULL: disk.is_full(),
            "The disk of the data folder is nearly full.": disk.is_nearly_full(self.disk_size, self.disk_free),
            f"E-mails that the mail server has not accepted yet: {self.letters_late}.": self.letters_late > 0,
            f"E-mails that could not be delivered: {self.letters_given_up}.": self.letters_given_up > 0,
            f"Background jobs that no worker runs: {self.jobs_overdue}.": self.jobs_overdue > 0,
            "Every connection to the database is in use.": self.connections >= self.most_connections,
        }
        return [sentence for sentence, applies in checks.items() if applies]


def system_health(session: Session, actor: Actor) -> SystemHealth:
    """Return the current state. For administrators."""
    require(actor, Permission.PEOPLE_MANAGE)
    config, space, pool = settings(), shutil.disk_usage(settings().data), bound_engine().pool
    return SystemHealth(
        **session.execute(_STATE).mappings().one(),
        is_embedded=config.embedded,
        schema=current_revision(session.connection()) or "none",
        expected_schema=expected_revision(),
        connections=pool.checkedout() if isinstance(pool, QueuePool) else 0,
        most_connections=POOL_SIZE + POOL_OVERFLOW,
        has_mail_server=not isinstance(mail_transport(), ConsoleTransport),
        data_folder=str(config.data),
        disk_size=space.total,
        disk_free=space.free,
    )


_STATE = text(f"""
    SELECT 'PostgreSQL ' || split_part(current_setting('server_version'), ' ', 1) AS database,
           pg_database_size(current_database()) AS database_size,
           p.people_on_sheets, p.open_sheets, m.letters_waiting, m.letters_late, m.letters_given_up,
           (SELECT count(*) FROM jobs WHERE greatest(run_at, lease_until) < now() - interval '1 minute'
            AND state IN ('waiting', 'running')) AS jobs_overdue
    FROM (SELECT count(DISTINCT user_id) AS people_on_sheets, count(*) AS open_sheets
          FROM presence WHERE seen_at > now() - interval '{STALE_AFTER}') p,
         (SELECT count(*) FILTER (WHERE done_at IS NULL) AS letters_waiting,
                 count(*) FILTER (WHERE done_at IS NULL AND attempts > 1) AS letters_late,
                 count(*) FILTER (WHERE starts_with(outcome, 'given up')) AS letters_given_up FROM mails) m
""")  # noqa: S608 - STALE_AFTER is a constant of core.presence.
