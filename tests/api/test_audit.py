"""The audit trail through the API: by pages, filtered, and as a file that only who may see it gets."""

import csv
import io

import httpx
import pytest

from tests.api.conftest import People, Person


@pytest.fixture
def ada(people: People) -> Person:
    return people("Ada")


@pytest.fixture
def ann(people: People) -> Person:
    return people("Ann")


def events(person: Person, query: str = "") -> list[dict]:
    return page(person, query)["events"]


def page(person: Person, query: str) -> dict:
    answered = person.ask("GET", f"/audit?{query}")
    assert answered.status_code == 200, answered.text
    return answered.json()


def test_pages_follow_each_other_until_next_is_null(ada: Person) -> None:
    seen, query = [], "limit=3"
    while True:
        found = page(ada, query)
        seen += [event["event_id"] for event in found["events"]]
        if found["next"] is None:
            break
        query = f"limit=3&before={found['next']}"
    assert seen == sorted(seen, reverse=True)
    assert seen == [event["event_id"] for event in events(ada)]
    assert len(seen) > 3


def test_filters_are_those_of_the_page(ada: Person, ann: Person) -> None:
    shares = events(ada, "kind=shares&kind=teams")
    assert {event["kind"] for event in shares} == {"shares"}
    assert shares[0]["sentence"].startswith("Ann shared “Deals” with ")
    assert events(ada, "search=deals&since=2020-01-01&kind=shares") == shares
    assert events(ada, "until=2020-01-01T00:00:00Z") == []
    assert {event["sheet_id"] for event in events(ann, f"sheet={ann.sheet}")} == {ann.sheet}


@pytest.mark.parametrize(
    "query", ["since=yesterday", "until=12026-01-01", "kind=x", "limit=0", "before=-1", "search=%00"]
)
def test_what_cannot_be_asked_is_refused(ada: Person, query: str) -> None:
    assert ada.ask("GET", f"/audit?{query}").status_code == 422
    if not query.startswith(("limit", "before")):
        assert ada.ask("GET", f"/audit/export?{query}").status_code == 422


def test_the_export_is_a_file_and_an_event(ada: Person) -> None:
    answered: httpx.Response = ada.ask("GET", "/audit/export?kind=shares")
    assert answered.headers["content-type"] == "text/csv; charset=utf-8"
    assert answered.headers["content-disposition"].startswith("attachment; filename=audit-20")
    assert answered.headers["cache-control"] == "no-store"
    lines = list(csv.DictReader(io.StringIO(answered.text, newline="")))
    assert len(lines) == int(answered.headers["x-rows"]) > 0
    assert events(ada, "limit=1")[0]["action"] == "workspace:audit:export"


def test_too_many_exports_have_to_wait(ada: Person) -> None:
    answered = [ada.ask("GET", "/audit/export").status_code for _ in range(11)]
    assert answered == [200] * 10 + [429]


def test_somebody_elses_sheet_is_told_to_nobody(people: People) -> None:
    for name, status in {"Ben": 403, "Dan": 404}.items():
        person = people(name)
        for route in ("audit", "audit/export"):
            assert person.ask("GET", f"/{route}?sheet={person.sheet}").status_code == status
        assert events(person) == []
