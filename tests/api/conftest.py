"""The API as programs meet it: a test client, and the cast with tokens. tests/api/test_auth.py signs in by password."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from api.app import create_api
from api.auth.principal import token_key
from api.live.hub import hub
from core.access.access import Access
from core.config.settings import settings
from core.credentials.access_tokens import grant_tokens
from db import engine as db
from db.raw_sql import RawStatement
from tests.conftest import make_deals

DEAL, ACCOUNT, STAGE, AMOUNT, OWNER, CREATED, CLOSE = range(1, 8)


@dataclass
class Person:
    """One of the cast at a keyboard of their own: requests with their token."""

    client: httpx.Client
    token: str
    sheet: int = 0
    link: int = 0  # A public link of the sheet, where the test has made one.

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """A request under /api/v1; `{sheet}` in the path is the sheet of the test."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        url = "/api/v1" + path.replace("{sheet}", str(self.sheet))
        return self.client.request(method, url, headers=headers | more.pop("headers", {}), **more)

    def get(self, path: str, **query: Any) -> Any:
        answer = self.ask("GET", path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def change(self, **body: Any) -> httpx.Response:
        """One action on the rows of the sheet."""
        body.setdefault("operation_id", str(uuid4()))
        return self.ask("PATCH", "/sheets/{sheet}/rows", json=body)

    def edit(self, row: int, column: int, value: Any, base: int | None = None, **more: Any) -> httpx.Response:
        return self.change(edits=[{"row": row, "column": column, "value": value, "base": base}], **more)

    def add(self, *rows: dict[int, Any]) -> list[int]:
        answer = self.ask("POST", "/sheets/{sheet}/rows", json={"rows": [stringed(row) for row in rows]})
        assert answer.status_code == 201, answer.text
        return [one["row"] for one in answer.json()["added"]]

    def cell(self, row: int, column: int) -> Any:
        return self.get(f"/sheets/{{sheet}}/rows/{row}")["values"].get(str(column))

    @property
    def version(self) -> int:
        version: int = self.get("/sheets/{sheet}")["version"]
        return version


@pytest.fixture(scope="session", autouse=True)
def own_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Settings with a data folder of the tests' own: its secret signs their tokens."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONTRIVANCE_DATA", str(tmp_path_factory.mktemp("data")))
        settings.cache_clear()
        yield
    settings.cache_clear()


def stringed(row: dict[int, Any]) -> dict[str, Any]:
    return {str(column): value for column, value in row.items()}


def make_app(conninfo: str | None = None) -> FastAPI:
    """The product's own app below /api; the live hub runs where a database is named."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        if conninfo:
            await hub.start(conninfo)
        yield
        await hub.stop()

    app = FastAPI(lifespan=lifespan, openapi_url=None)
    app.mount("/api", the_api())
    return app


@cache
def the_api() -> FastAPI:
    """One for all tests: it keeps nothing, and takes longer to get ready than most tests take."""
    return create_api()


def sign_in(client: httpx.Client, name: str, sheet: int = 0) -> Person:
    """Anybody of the cast with a token as a sign-in grants it, or "nobody" without one."""
    if name == "nobody":
        return Person(client, "", sheet)
    with db.transaction() as session:
        user = session.scalar(
            text("SELECT user_id FROM users WHERE email = :email"), {"email": f"{name}@example.com".lower()}
        )
        pair = grant_tokens(session, user, key=token_key(), address="testclient", user_agent="testclient")
    return Person(client, pair.access_token, sheet)


People = Callable[[str], Person]


@pytest.fixture
def people(session: Session, deals: Access) -> Iterator[People]:
    """Sign in anybody on a sheet of deals; everything is rolled back."""
    with TestClient(make_app(), base_url="http://localhost", raise_server_exceptions=False) as client:
        yield lambda name: sign_in(client, name, deals.sheet.sheet_id)


@pytest.fixture
def live_people(database: str) -> Iterator[People]:
    """The same on a database of their own, with real commits and the live hub."""
    with db.transaction() as session:
        sheet = make_deals(session).sheet.sheet_id
    with TestClient(make_app(database), base_url="http://localhost", raise_server_exceptions=False) as client:
        yield lambda name: sign_in(client, name, sheet)


@pytest.fixture
def quick_statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is sent to the database on the hot path, from now on."""
    sent: list[str] = []
    run = RawStatement._run

    def noted(quick: RawStatement, *given: Any) -> Any:
        sent.append(quick.statement)
        return run(quick, *given)

    monkeypatch.setattr(RawStatement, "_run", noted)
    return sent
