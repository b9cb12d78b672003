"""Settings: read once, checked at the start, each refusal one sentence that names the setting and the way out."""

import stat
from pathlib import Path

import pytest

from core.config.rate_settings import RATES, Rate
from core.config.settings import InvalidSetting, read_settings

KEY = "q8Zr2mVb0yKx7WnP4tLc9HsDfJ3gTaUe6iRoXvB1"


@pytest.fixture
def data(tmp_path: Path) -> str:
    return str(tmp_path / "data")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_without_settings_it_serves_this_machine_alone(data: str) -> None:
    ours = read_settings({"CONTRIVANCE_DATA": data})
    assert (ours.host, ours.port, ours.url) == ("127.0.0.1", 8501, "http://localhost:8501")
    assert ours.embedded
    assert not ours.cookie_secure
    assert ours.session_cookie == "contrivance_session"


def test_the_data_folder_and_its_secret_are_for_the_owner_alone_and_kept(data: str) -> None:
    first = read_settings({"CONTRIVANCE_DATA": data})
    assert mode(Path(data)) == 0o700
    assert mode(Path(data) / "token.key") == 0o600
    assert len(first.token_key) >= 32
    assert read_settings({"CONTRIVANCE_DATA": data}).token_key == first.token_key


def test_secrets_can_come_from_files_and_never_show_in_the_settings(data: str, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{KEY}\n")
    (tmp_path / "url").write_text("postgresql://owner:hunter2@db/sales")
    given = {"CONTRIVANCE_TOKEN_KEY_FILE": str(tmp_path / "key"), "DATABASE_URL_FILE": str(tmp_path / "url")}
    redis = {"CONTRIVANCE_REDIS_URL": "redis://:hunter2@cache/0"}
    ours = read_settings({"CONTRIVANCE_DATA": data, **given, **redis})
    assert ours.token_key == KEY
    assert not ours.embedded
    assert KEY not in repr(ours)
    assert "hunter2" not in repr(ours)


def test_rates_can_be_said_otherwise_one_by_one_or_switched_off(data: str) -> None:
    ours = read_settings({"CONTRIVANCE_DATA": data, "CONTRIVANCE_LIMITS": "export=3/60"})
    assert ours.rates == RATES | {"export": Rate(3, 60)}
    assert read_settings({"CONTRIVANCE_DATA": data, "CONTRIVANCE_LIMITS": "off"}).rates == {}


def test_each_purpose_has_a_key_of_its_own(data: str) -> None:
    ours = read_settings({"CONTRIVANCE_DATA": data})
    assert len({ours.derived_key("streamlit"), ours.derived_key("access"), ours.token_key}) == 3


def test_on_https_the_cookies_are_bound_to_the_host(data: str) -> None:
    ours = read_settings({"CONTRIVANCE_DATA": data, "CONTRIVANCE_PUBLIC_URL": "https://sales.example.com/"})
    assert ours.session_cookie == "__Host-contrivance_session"
    assert ours.url == "https://sales.example.com"
    assert "sales.example.com" in ours.allowed_hosts


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("CONTRIVANCE_PORT", "eight", "from 1 to 65535"),
        ("CONTRIVANCE_PORT", "70000", "from 1 to 65535"),
        ("CONTRIVANCE_COOKIE_SECURE", "perhaps", "it must be yes or no"),
        ("CONTRIVANCE_LOG_LEVEL", "loud", "choose one of"),
        ("CONTRIVANCE_JOBS", "nobody", "server or worker"),
        ("CONTRIVANCE_PUBLIC_URL", "sales.example.com", "is not a URL"),
        ("CONTRIVANCE_PUBLIC_URL", "https://sales.example.com/app", "is not a URL"),
        ("CONTRIVANCE_CORS_ORIGINS", "https://a.example.com, *", "is not a URL"),
        ("DATABASE_URL", "mysql://db/sales", "must start with postgresql://"),
        ("CONTRIVANCE_TOKEN_KEY", "short", "needs at least 32"),
        ("CONTRIVANCE_TOKEN_KEY", "change-me-change-me-change-me-change-me", "is a sample"),
        ("CONTRIVANCE_TOKEN_KEY", "a" * 40, "is a sample"),
        ("CONTRIVANCE_TOKEN_KEY_FILE", "/nowhere/key", "cannot be read"),
        ("CONTRIVANCE_HOST", "0.0.0.0", "lets everybody on the network"),
        ("CONTRIVANCE_LIMITS", "api=lots", "“api=lots” is not a rate like api=600/10"),
        ("CONTRIVANCE_REDIS_URL", "http://cache:6379", "must start with redis://"),
    ],
)
def test_a_bad_value_is_refused_with_its_reason(data: str, name: str, value: str, reason: str) -> None:
    with pytest.raises(InvalidSetting, match=reason) as refused:
        read_settings({"CONTRIVANCE_DATA": data, name: value})
    assert "\n" not in str(refused.value)


REFUSED = {
    "needs at least 32": {"CONTRIVANCE_TOKEN_KEY": "hunter2"},
    "is a sample, not a secret": {"CONTRIVANCE_TOKEN_KEY": "hunter2-change-me-change-me-change-me-now"},
    "which is empty": {"CONTRIVANCE_TOKEN_KEY_FILE": "/dev/null"},
    "is not a rate like": {"CONTRIVANCE_LIMITS": "everything=1/1"},
    "must start with redis://": {"CONTRIVANCE_REDIS_URL": "hunter2@cache"},
    "must start with postgresql://": {"DATABASE_URL": "mysql://root:hunter2@db/sales"},
    "is not a URL like": {"CONTRIVANCE_CORS_ORIGINS": "*"},
}


@pytest.mark.parametrize("reason", REFUSED)
def test_the_reason_of_a_refusal_does_not_repeat_what_was_given(data: str, reason: str) -> None:
    with pytest.raises(InvalidSetting, match=reason) as refused:
        read_settings({"CONTRIVANCE_DATA": data} | REFUSED[reason])
    assert "hunter2" not in str(refused.value)


PROVIDER = {
    "CONTRIVANCE_OIDC_ISSUER": "https://login.example.com/realms/sales/",
    "CONTRIVANCE_OIDC_CLIENT_ID": "contrivance",
    "CONTRIVANCE_OIDC_CLIENT_SECRET": "known to both",
}


def test_a_provider_is_named_by_its_issuer_and_its_secret_never_shows(data: str, tmp_path: Path) -> None:
    kept = tmp_path / "client"
    kept.write_text("from a file\n")
    named = PROVIDER | {"CONTRIVANCE_OIDC_CLIENT_SECRET_FILE": str(kept), "CONTRIVANCE_OIDC_LABEL": "Northwind ID"}
    found = read_settings({"CONTRIVANCE_DATA": data} | named)
    assert found.provider
    assert found.provider.metadata_url == "https://login.example.com/realms/sales/.well-known/openid-configuration"
    assert (found.provider.client_secret, found.provider.label) == ("from a file", "Northwind ID")
    assert "from a file" not in repr(found)
    assert read_settings({"CONTRIVANCE_DATA": data}).provider is None


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"CONTRIVANCE_OIDC_CLIENT_SECRET": ""}, "all three or none"),
        ({"CONTRIVANCE_OIDC_ISSUER": ""}, "all three or none"),
        ({"CONTRIVANCE_OIDC_ISSUER": "http://login.example.com"}, "must be a URL like https"),
        ({"CONTRIVANCE_OIDC_ISSUER": "login.example.com"}, "must be a URL like https"),
        ({"CONTRIVANCE_OIDC_ISSUER": "https://login.example.com/?x=1"}, "must be a URL like https"),
        ({"CONTRIVANCE_OIDC_LABEL": "x" * 41}, "more than 40"),
        ({"CONTRIVANCE_HOST": "0.0.0.0", "CONTRIVANCE_SHARE_ON_NETWORK": "yes"}, "needs CONTRIVANCE_PUBLIC_URL"),
    ],
)
def test_half_a_provider_is_refused_with_its_reason(data: str, changed: dict[str, str], reason: str) -> None:
    with pytest.raises(InvalidSetting, match=reason) as refused:
        read_settings({"CONTRIVANCE_DATA": data} | PROVIDER | changed)
    assert "known to both" not in str(refused.value)


@pytest.mark.parametrize(
    "said", ["CONTRIVANCE_ALLOWED_HOSTS", "CONTRIVANCE_PUBLIC_URL", "CONTRIVANCE_SHARE_ON_NETWORK"]
)
def test_a_public_bind_is_taken_once_it_was_said(data: str, said: str) -> None:
    values = {"CONTRIVANCE_PUBLIC_URL": "http://sales.example.com", "CONTRIVANCE_SHARE_ON_NETWORK": "yes"}
    ours = read_settings(
        {"CONTRIVANCE_DATA": data, "CONTRIVANCE_HOST": "0.0.0.0", said: values.get(said, "sales.example.com")}
    )
    assert set(ours.allowed_hosts) > {"localhost", "127.0.0.1", "::1"}


def test_a_data_folder_that_others_can_read_is_refused(data: str) -> None:
    read_settings({"CONTRIVANCE_DATA": data})
    Path(data).chmod(0o750)
    with pytest.raises(InvalidSetting, match="chmod 700"):
        read_settings({"CONTRIVANCE_DATA": data})


def test_a_secret_that_others_can_read_is_refused(data: str) -> None:
    read_settings({"CONTRIVANCE_DATA": data})
    (Path(data) / "token.key").chmod(0o644)
    with pytest.raises(InvalidSetting, match="chmod 600"):
        read_settings({"CONTRIVANCE_DATA": data})


def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").touch()
    tmp_path.chmod(0o755)
    with pytest.raises(InvalidSetting, match="holds other files"):
        read_settings({"CONTRIVANCE_DATA": str(tmp_path)})
    assert mode(tmp_path) == 0o755
    assert [path.name for path in tmp_path.iterdir()] == ["holiday.jpg"]


def test_an_empty_folder_is_taken_and_closed(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    read_settings({"CONTRIVANCE_DATA": str(tmp_path)})
    assert mode(tmp_path) == 0o700
