"""The commands: each does one thing, says what it did in a sentence, or what stands in its way."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from core.accounts.invitations import first_admin_link, welcome
from core.base.errors import NotFound
from core.config.running_servers import registered_server, running_server_urls
from core.config.settings import settings
from core.sign_in.password import sign_in
from db import engine as db
from db.engine import make_engine, transaction
from manage import main

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def environment(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The commands read the environment, as they do in a shell."""
    monkeypatch.setenv("CONTRIVANCE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("DATABASE_URL", database)
    settings.cache_clear()
    settings()  # Makes the folder and its secret, as a first start does.
    settings.cache_clear()
    yield
    settings.cache_clear()


def create(monkeypatch: pytest.MonkeyPatch, password: str, *more: str) -> int:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{password}\n"))
    return main(["create-user", "--email", "eve@example.com", "--name", "Eve", "--password-stdin", *more])


def test_doctor_says_that_everything_is_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    assert capsys.readouterr().out.strip().endswith("Everything is in order.")


def test_doctor_names_what_is_wrong_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONTRIVANCE_TOKEN_KEY", "change-me-change-me-change-me-change-me")
    assert main(["doctor"]) == 1
    assert capsys.readouterr().err.strip().startswith("CONTRIVANCE_TOKEN_KEY is a sample")


def test_doctor_names_a_schema_that_it_does_not_know(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    owner = make_engine(database, role=None)
    with owner.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    owner.dispose()
    assert main(["doctor"]) == 1
    assert "schema version 9999" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["doctor", "verify-audit"])
def test_whoever_only_looks_at_a_mistyped_folder_makes_nothing_there(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    mistyped = tmp_path / "dtaa"
    monkeypatch.setenv("CONTRIVANCE_DATA", str(mistyped))
    monkeypatch.delenv("DATABASE_URL")
    settings.cache_clear()
    assert main([command]) == 1
    assert f"{mistyped} is missing, where a data folder should be; nothing was created." in capsys.readouterr().err
    assert not mistyped.exists()
    mistyped.mkdir(mode=0o700)
    assert main([command]) == 1
    assert "token.key is missing" in capsys.readouterr().err
    monkeypatch.setenv("CONTRIVANCE_TOKEN_KEY", "q8Zr2mVb0yKx7WnP4tLc9HsDfJ3gTaUe6iRoXvB1")
    assert main([command]) == 1
    assert "postgres is missing, where a database should be" in capsys.readouterr().err
    assert [*mistyped.iterdir()] == []


def test_migrate_can_be_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["migrate"]) == 0
    assert main(["migrate"]) == 0
    assert "has schema version" in capsys.readouterr().out


@pytest.mark.slow
def test_seed_makes_the_demo_once(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["seed"]) == 0
    assert "steps" in capsys.readouterr().out
    assert main(["seed"]) == 0
    assert "steps" not in capsys.readouterr().out


def test_a_person_made_by_command_can_sign_in(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert create(monkeypatch, PASSWORD, "--role", "analyst") == 0
    db.bind(make_engine(database))
    let_in = {"grant": lambda _, user_id: user_id, "without_code": lambda *_: None}
    assert sign_in(transaction, "eve@example.com", PASSWORD, address=None, **let_in)
    db.bound_engine().dispose()


def test_a_second_account_for_one_address_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert create(monkeypatch, PASSWORD) == 0
    assert create(monkeypatch, PASSWORD) == 1
    assert "There is already an account for eve@example.com." in capsys.readouterr().err


def test_a_password_that_is_too_short_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert create(monkeypatch, "short") == 1
    assert "short" not in capsys.readouterr().out


def test_a_new_account_is_told_the_address_of_the_servers_that_run_and_no_other(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert create(monkeypatch, PASSWORD) == 0
    assert "8501" not in (said := capsys.readouterr().out)
    assert "when a server of this data folder runs; its start prints the address" in said
    killed = settings().data / "served" / "killed"
    with registered_server(settings().data, "http://localhost:8600"):
        killed.write_text("http://localhost:8700")
        assert create(monkeypatch, PASSWORD, "--email", "eva@example.com") == 0
    assert "Eve can sign in as eva@example.com at http://localhost:8600." in capsys.readouterr().out
    assert running_server_urls(settings().data) == []
    assert not killed.exists()


def test_a_role_that_does_not_exist_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit):
        create(monkeypatch, PASSWORD, "--role", "emperor")


def test_verify_audit_tells_the_head_of_a_whole_trail(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert create(monkeypatch, PASSWORD) == 0
    capsys.readouterr()
    assert main(["verify-audit"]) == 0
    events, head = capsys.readouterr().out.split(", head ")
    assert (events, len(head.strip())) == ("1 events", 64)
    assert main(["verify-audit", "--head", head.strip()]) == 0


def test_verify_audit_ends_with_the_first_break(
    database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert create(monkeypatch, PASSWORD) == 0
    owner = make_engine(database, role=None)
    with owner.begin() as connection:
        connection.execute(text("ALTER TABLE audit_events DISABLE TRIGGER keep_audit"))
        connection.execute(text("""UPDATE audit_events SET facts = facts || '{"role": "analyst"}'"""))
    owner.dispose()
    capsys.readouterr()
    assert main(["verify-audit"]) == 1
    assert "(account:user:create), number 1 of the chain, is not what was recorded" in capsys.readouterr().err


def test_an_administrator_made_by_command_ends_the_printed_link(monkeypatch: pytest.MonkeyPatch) -> None:
    with transaction() as session:
        session.execute(text("UPDATE users SET role = 'member'"))
        printed = first_admin_link(session, "http://here") or ""
        assert welcome(session, printed.partition("invite=")[2]).is_first_admin
    assert create(monkeypatch, PASSWORD, "--role", "admin") == 0
    with transaction() as session, pytest.raises(NotFound):
        welcome(session, printed.partition("invite=")[2])


def test_a_common_password_is_refused_by_command_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert create(monkeypatch, "password1234") == 1
    assert "easy to guess" in capsys.readouterr().err
