"""System: database, e-mails, disk, people online and jobs; problems stand first."""

import streamlit as st

from core.admin.health import SystemHealth, system_health
from core.base.actor import Actor
from db.engine import transaction
from pages.components.admin import jobs as job_list
from pages.components.app.current_user import current_actor
from pages.components.app.format import literal

UNITS = ("bytes", "kB", "MB", "GB", "TB")


def show(actor: Actor) -> None:
    """The page, top to bottom."""
    with transaction() as session:
        health = system_health(session, actor)
    with st.container(width=860):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.title("System", width="stretch")
            if st.button("Look again", icon=":material/refresh:"):
                st.rerun()
        for trouble in health.troubles:
            st.warning(literal(trouble), icon=":material/warning:")
        if not health.troubles:
            st.success("Everything is in order.", icon=":material/check_circle:")
        with st.grid(min_column_width=340):
            for title, lines in _parts(health).items():
                _card(title, lines)
        job_list.show()
        st.caption("Backups are made with the database's own tools; the guide for operations says how.")


def _card(title: str, lines: list[str]) -> None:
    with st.container(border=True, height="stretch"):
        st.markdown(f"**{title}**")
        for line in lines:
            st.text(line)


def _parts(health: SystemHealth) -> dict[str, list[str]]:
    mail = "Sent by a mail server" if health.has_mail_server else "No mail server: e-mails are printed on the console"
    return {
        "Database": [
            f"{health.database}, {'built in' if health.is_embedded else 'external'}",
            f"{size(health.database_size)} of data",
            f"Schema version {health.schema}",
        ],
        "Connections": [
            f"{health.connections} of {health.most_connections} in use in this process",
            f"On sheets now: people {health.people_on_sheets}, open pages {health.open_sheets}",
        ],
        "E-mails": [
            mail,
            f"{health.letters_waiting} waiting, {health.letters_late} of them late",
            f"{health.letters_given_up} given up in the last 30 days",
        ],
        "Disk": [
            f"{size(health.disk_free)} free of {size(health.disk_size)}",
            f"Data folder: {health.data_folder}",
            *([] if health.is_embedded else ["The database has a disk of its own: watch it where it runs"]),
        ],
    }


def size(count: int) -> str:
    """A number of bytes in the largest unit that leaves digits before the point."""
    number, unit = float(count), 0
    while number >= 1000 and unit < len(UNITS) - 1:
        number, unit = number / 1000, unit + 1
    return f"{number:.0f} {UNITS[unit]}" if unit == 0 or number >= 10 else f"{number:.1f} {UNITS[unit]}"


show(current_actor())
