"""Starting and ending the server for real: nothing is lost, nothing is left behind, a refusal is one sentence."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import text

from core.config.running_servers import running_server_urls
from db.engine import make_engine
from tests.server.test_settings import REFUSED
from tests.support.server.started import ROOT, Started, databases_in, free_port

pytestmark = pytest.mark.slow


@pytest.fixture
def data() -> Iterator[Path]:
    with TemporaryDirectory(prefix="cstart-", dir="/tmp") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder) / "data"


def refusal(started: Started) -> str:
    """The one sentence of a start that was refused."""
    assert started.ended() == 1
    text = started.text().strip()
    assert "Traceback" not in text
    assert len(text.splitlines()) == 1
    assert text.startswith("Contrivance does not start. ")
    return text


def test_it_ends_cleanly_and_starts_again_with_its_data(data: Path) -> None:
    with Started(data) as first:
        secret = (data / "token.key").read_text()
        assert databases_in(data)
        assert running_server_urls(data) == [f"http://localhost:{first.port}"]
        assert first.stop(signal.SIGINT) == 0
    assert databases_in(data) == []
    assert running_server_urls(data) == []
    with Started(data) as second:
        assert (data / "token.key").read_text() == secret
        assert second.get("/") == 200
    assert databases_in(data) == []


@pytest.mark.parametrize("how", [signal.SIGTERM, pytest.param(signal.SIGHUP, marks=pytest.mark.exhaustive)])
def test_a_stop_from_outside_and_a_closed_terminal_end_it_as_ctrl_c_does(data: Path, how: signal.Signals) -> None:
    with Started(data) as started:
        assert started.stop(how) == 0
    assert databases_in(data) == []


@pytest.mark.serial
def test_it_answers_soon(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """First start under 5 s, later ones under 3 s on a quiet machine; here with room for a busy one."""
    with Started(data) as started:
        first = started.wait_until_ready()
    with Started(data) as started:
        later = started.wait_until_ready()
    with capsys.disabled():
        print(f"\nfirst start {first:.1f} s, later start {later:.1f} s")
    assert first < 20
    assert later < 15


def test_a_killed_server_leaves_nothing_that_a_new_start_cannot_take_over(data: Path) -> None:
    with Started(data) as killed:
        killed.process.kill()
        killed.process.wait()
    with Started(data):
        assert databases_in(data)
    assert databases_in(data) == []


def test_a_database_that_is_killed_comes_back_while_the_server_runs(data: Path) -> None:
    with Started(data) as started:
        postmaster = int((data / "postgres" / "postmaster.pid").read_text().split("\n")[0])
        os.kill(postmaster, signal.SIGKILL)
        started.wait_until_ready()
        assert started.get("/api/health/live") == 200
    assert databases_in(data) == []


def test_two_servers_share_one_data_folder_and_the_last_one_ends_the_database(data: Path) -> None:
    with Started(data) as first, Started(data) as second:
        first.stop(signal.SIGTERM)
        assert databases_in(data)
        assert second.get("/api/health/ready") == 200
    assert databases_in(data) == []


def test_a_port_in_use_is_one_sentence(data: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"Port {port} on 127.0.0.1 cannot be used" in refusal(Started(data, port))
    assert databases_in(data) == []


def test_a_database_that_is_down_is_one_sentence_without_its_password(data: Path) -> None:
    url = f"postgresql://owner:hunter2@127.0.0.1:{free_port()}/sales"
    said = refusal(Started(data, DATABASE_URL=url))
    assert "Connection refused" in said
    assert "hunter2" not in said


@pytest.mark.exhaustive
def test_a_bad_setting_is_one_sentence(data: Path) -> None:
    assert "CONTRIVANCE_PORT is “none”" in refusal(Started(data, CONTRIVANCE_PORT="none"))
    assert "lets everybody on the network" in refusal(Started(data, CONTRIVANCE_HOST="0.0.0.0"))
    assert "CONTRIVANCE_SMTP_FROM is “”" in refusal(Started(data, CONTRIVANCE_SMTP_HOST="mail.example.com"))
    assert databases_in(data) == []


ONE, *OTHERS = REFUSED


@pytest.mark.parametrize("reason", [ONE, *(pytest.param(reason, marks=pytest.mark.exhaustive) for reason in OTHERS)])
def test_each_setting_that_would_be_unsafe_is_one_sentence_without_what_was_given(data: Path, reason: str) -> None:
    said = refusal(Started(data, **REFUSED[reason]))
    assert reason in said
    assert "hunter2" not in said
    assert databases_in(data) == []


def test_a_folder_or_a_secret_that_others_can_read_is_one_sentence(data: Path) -> None:
    data.mkdir(mode=0o700)
    secret = data / "token.key"
    secret.write_text("q8Zr2mVb0yKx7WnP4tLc9HsDfJ3gTaUe6iRoXvB1")
    secret.chmod(0o640)
    assert f"run chmod 600 {secret}" in refusal(Started(data))
    secret.chmod(0o600)
    data.chmod(0o750)
    assert f"run chmod 700 {data}" in refusal(Started(data))
    assert databases_in(data) == []


def test_a_role_with_too_much_power_and_a_schema_of_tomorrow_are_one_sentence(
    data: Path, database: str, server: str
) -> None:
    superuser = server.format(database=database.split("@/")[1].partition("?")[0])
    said = refusal(Started(data, DATABASE_URL=database, CONTRIVANCE_APP_DATABASE_URL=superuser))
    assert "as a superuser or as the owner of its tables" in said
    engine = make_engine(database, role=None)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    assert "has schema version 9999" in refusal(Started(data, DATABASE_URL=database))


def test_it_runs_on_an_external_database(data: Path, database: str) -> None:
    with Started(data, DATABASE_URL=database) as started:
        assert started.get("/api/health/ready") == 200
        assert not (data / "postgres").exists()


def test_a_start_does_not_wait_for_libraries_that_only_a_page_or_a_file_needs(tmp_path: Path) -> None:
    """Half of a start is imports: what reads and writes files is imported where it is used."""
    heavy = ("pandas", "pyarrow", "openpyxl", "altair", "streamlit_authenticator", "alembic")
    script = f"import sys, app; print([name for name in {heavy} if name in sys.modules])"
    environment = os.environ | {"CONTRIVANCE_DATA": str(tmp_path / "data")}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.exhaustive
def test_it_ends_as_cleanly_while_the_demo_is_being_made(data: Path) -> None:
    with Started(data, CONTRIVANCE_DEMO="yes") as started:
        assert started.stop(signal.SIGINT) == 0
        assert "Traceback" not in started.text()
        assert "demo.failed" not in started.text()
    assert databases_in(data) == []
