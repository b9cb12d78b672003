"""What the tests of core share: hashes that they can afford, and a count of them."""

from collections.abc import Iterator

import pytest

from core import passwords


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes of the same kind at a cost that tests can afford."""
    monkeypatch.setitem(passwords.hash_password.__kwdefaults__, "cost", 4)


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes]]:
    """Counts what reaches bcrypt."""
    seen: list[bytes] = []
    really = passwords.bcrypt.checkpw

    def count(password: bytes, stored: bytes) -> bool:
        seen.append(password)
        return bool(really(password, stored))

    monkeypatch.setattr(passwords.bcrypt, "checkpw", count)
    return seen
