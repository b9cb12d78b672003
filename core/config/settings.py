"""The settings, read once from the environment into one frozen object. An invalid value stops the start."""

import hashlib
import hmac
import os
import secrets
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from urllib.parse import urlsplit

from core.config.oidc_settings import Provider, read_provider
from core.config.rate_settings import RATES, LimitName, Rate, read_rates

ROOT = Path(__file__).parents[2]
ROOT_DATA = Path("/var/lib/contrivance")
LOOPBACK = ("localhost", "127.0.0.1", "::1")
LOG_LEVELS = ("debug", "info", "warning", "error")
MIN_KEY_LENGTH = 32
SAMPLE_WORDS = ("change", "example", "sample", "secret", "password")


class InvalidSetting(Exception):
    """A setting is invalid or missing; the message is shown to the person who starts the server."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one installation. Secrets are not part of its repr."""

    data: Path
    host: str = "127.0.0.1"
    port: int = 8501
    public_url: str = ""
    allowed_hosts: tuple[str, ...] = LOOPBACK
    cors_origins: tuple[str, ...] = ()
    cookie_secure: bool = False
    demo: bool = True
    runs_jobs: bool = True  # Whether the server runs background jobs itself, or leaves them to `manage.py worker`.
    provider: Provider | None = None
    log_level: str = "info"
    rates: Mapping[LimitName, Rate] = field(default_factory=lambda: RATES)
    redis_url: str = field(default="", repr=False)
    database_url: str = field(default="", repr=False)
    app_database_url: str = field(default="", repr=False)
    token_key: str = field(default="", repr=False)

    @property
    def embedded(self) -> bool:
        """Whether the database is the embedded one."""
        return not self.database_url

    @property
    def url(self) -> str:
        """The URL that users open, without a trailing slash."""
        if self.public_url:
            return self.public_url
        host = "localhost" if self.host in {*LOOPBACK, "0.0.0.0", "::"} else self.host  # noqa: S104 compared, not bound
        return f"http://{host}:{self.port}"

    @property
    def session_cookie(self) -> str:
        """The name of the session cookie. On HTTPS its prefix makes browsers require Secure, this host and path /."""
        return "__Host-contrivance_session" if self.cookie_secure else "contrivance_session"

    @property
    def nonce_cookie(self) -> str:
        """The name of the cookie that binds a sign-in to the browser that started it."""
        return "__Host-contrivance_nonce" if self.cookie_secure else "contrivance_nonce"

    @property
    def oidc_cookie(self) -> str:
        """The name of the cookie of a pending OpenID Connect sign-in."""
        return "__Host-contrivance_arrival" if self.cookie_secure else "contrivance_arrival"

    @property
    def device_cookie(self) -> str:
        """The name of the cookie of a known device. It grants no access."""
        return "__Host-contrivance_device" if self.cookie_secure else "contrivance_device"

    @property
    def link_cookie_prefix(self) -> str:
        """The prefix of the cookies of public links; the id of the link follows."""
        return "__Host-contrivance_link_" if self.cookie_secure else "contrivance_link_"

    def derived_key(self, purpose: str) -> str:
        """Return a key for one purpose, derived from the token key."""
        return hmac.new(self.token_key.encode(), purpose.encode(), hashlib.sha256).hexdigest()


@lru_cache(maxsize=1)
def settings() -> Settings:
    """Return the settings of this process."""
    return read_settings(os.environ)


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Read and check all settings. Creates the data folder and the token key if they are missing."""
    data = data_folder(read_value(environment, "CONTRIVANCE_DATA"))
    public_url = _public_url(read_value(environment, "CONTRIVANCE_PUBLIC_URL"))
    host = read_value(environment, "CONTRIVANCE_HOST") or "127.0.0.1"
    return Settings(
        data=data,
        host=host,
        port=_port(read_value(environment, "CONTRIVANCE_PORT") or "8501"),
        public_url=public_url,
        allowed_hosts=_allowed_hosts(environment, host, public_url),
        cors_origins=tuple(_public_url(origin) for origin in _list(environment, "CONTRIVANCE_CORS_ORIGINS")),
        cookie_secure=_boolean(environment, "CONTRIVANCE_COOKIE_SECURE", default=public_url.startswith("https://")),
        demo=_boolean(environment, "CONTRIVANCE_DEMO", default=True),
        runs_jobs=_runs_jobs(read_value(environment, "CONTRIVANCE_JOBS") or "server"),
        provider=_provider(environment, host, public_url),
        log_level=_log_level(read_value(environment, "CONTRIVANCE_LOG_LEVEL") or default_log_level()),
        rates=_rates(read_value(environment, "CONTRIVANCE_LIMITS")),
        redis_url=_redis_url(read_value(environment, "CONTRIVANCE_REDIS_URL")),
        database_url=_database_url(environment, "DATABASE_URL"),
        app_database_url=_database_url(environment, "CONTRIVANCE_APP_DATABASE_URL"),
        token_key=_token_key(environment, data),
    )


def require_existing(environment: Mapping[str, str]) -> None:
    """Raise InvalidSetting if the data folder, the token key or the embedded database is missing. Creates nothing."""
    folder = _data_path(read_value(environment, "CONTRIVANCE_DATA"))
    required = {folder: "a data folder"}
    if not read_value(environment, "CONTRIVANCE_TOKEN_KEY"):
        required[folder / "token.key"] = "the secret that signs tokens"
    if not read_value(environment, "DATABASE_URL"):
        required[folder / "postgres"] = "a database"
    for path, description in required.items():
        if not path.exists():
            raise InvalidSetting(
                f"{path} is missing, where {description} should be; nothing was created. Check the path "
                "(CONTRIVANCE_DATA, or DATA=… of make): if it is correct and new, the first start creates everything."
            )


def data_folder(configured: str) -> Path:
    """Return the data folder, created with mode 0700 if missing.

    Raises InvalidSetting if others can read it or if it holds other files.
    """
    folder = _data_path(configured)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        entries = {entry.name for entry in folder.iterdir()} - {"lost+found"}
    except OSError as error:
        raise InvalidSetting(f"The data folder {folder} cannot be used: {error.strerror}.") from error
    if not entries:
        folder.chmod(0o700)
    elif not entries & {"token.key", "postgres"}:
        raise InvalidSetting(f"The data folder {folder} holds other files: choose an empty or a new folder (DATA=…).")
    if stat.S_IMODE(folder.stat().st_mode) & 0o066:
        raise InvalidSetting(f"Others can read the data folder {folder}: run chmod 700 {folder} and start again.")
    return folder


def _data_path(configured: str) -> Path:
    """Return the configured path; else `data` beside the code, or for root a path that the database user can reach."""
    if configured:
        return Path(configured).expanduser().resolve()
    hidden = any(not parent.stat().st_mode & stat.S_IXOTH for parent in [ROOT, *ROOT.parents])
    return ROOT_DATA if os.geteuid() == 0 and hidden else ROOT / "data"


def read_value(environment: Mapping[str, str], name: str) -> str:
    """Return the value of NAME, or the content of the file that NAME_FILE names; empty if neither is set."""
    if path := environment.get(f"{name}_FILE"):
        try:
            value = Path(path).read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidSetting(f"{name}_FILE names {path}, which cannot be read.") from error
        if not value:
            raise InvalidSetting(f"{name}_FILE names {path}, which is empty.")
        return value
    return environment.get(name, "").strip()


def _list(environment: Mapping[str, str], name: str) -> list[str]:
    return [item.strip() for item in read_value(environment, name).split(",") if item.strip()]


def _boolean(environment: Mapping[str, str], name: str, *, default: bool) -> bool:
    value = read_value(environment, name).lower()
    if value not in {"", "yes", "no", "true", "false", "1", "0"}:
        raise InvalidSetting(f"{name} is “{value}”: it must be yes or no.")
    return value in {"yes", "true", "1"} if value else default


def _runs_jobs(text: str) -> bool:
    if text not in {"server", "worker"}:
        raise InvalidSetting(f"CONTRIVANCE_JOBS is “{text}”: it must be server or worker.")
    return text == "server"


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise InvalidSetting(f"CONTRIVANCE_PORT is “{text}”: it must be a number from 1 to 65535.")
    return int(text)


def default_log_level() -> str:
    """Return the default log level: on a terminal only warnings, so that the printed links stay visible."""
    return "warning" if sys.stderr.isatty() else "info"


def _log_level(text: str) -> str:
    if text.lower() not in LOG_LEVELS:
        raise InvalidSetting(f"CONTRIVANCE_LOG_LEVEL is “{text}”: choose one of {', '.join(LOG_LEVELS)}.")
    return text.lower()


def _public_url(text: str) -> str:
    parts = urlsplit(text)
    has_host_only = not (parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc)
    if text and not (parts.scheme in {"http", "https"} and parts.hostname and has_host_only):
        raise InvalidSetting(f"“{text}” is not a URL like https://sales.example.com (nothing after the host).")
    return text.rstrip("/")


def _database_url(environment: Mapping[str, str], name: str) -> str:
    url = read_value(environment, name)
    scheme = url.partition("://")[0]
    if url and scheme not in {"postgresql", "postgres", "postgresql+psycopg"}:
        raise InvalidSetting(f"{name} must start with postgresql://; leave it out to use the built-in database.")
    return url


def _rates(text: str) -> Mapping[LimitName, Rate]:
    try:
        return read_rates(text)
    except ValueError as error:
        raise InvalidSetting(f"CONTRIVANCE_LIMITS: {error}; “off” removes all limits.") from error


def _provider(environment: Mapping[str, str], host: str, public_url: str) -> Provider | None:
    """Return the provider. It redirects users to one URL, which must be one that they can reach."""
    try:
        provider = read_provider(partial(read_value, environment))
    except ValueError as error:
        raise InvalidSetting(str(error)) from error
    if provider and host not in LOOPBACK and not public_url:
        raise InvalidSetting("OpenID Connect sign-in needs CONTRIVANCE_PUBLIC_URL, to which the provider redirects.")
    return provider


def _redis_url(url: str) -> str:
    if url and url.partition("://")[0] not in {"redis", "rediss", "unix"}:
        raise InvalidSetting(
            "CONTRIVANCE_REDIS_URL must start with redis://, rediss:// or unix://; leave it out for none."
        )
    return url


def _allowed_hosts(environment: Mapping[str, str], host: str, public_url: str) -> tuple[str, ...]:
    """Return the accepted Host names. Listening on the network needs a second setting, to prevent mistakes."""
    configured = _list(environment, "CONTRIVANCE_ALLOWED_HOSTS")
    shared = _boolean(environment, "CONTRIVANCE_SHARE_ON_NETWORK", default=False)
    if host not in LOOPBACK and not (configured or public_url or shared):
        raise InvalidSetting(
            f"CONTRIVANCE_HOST={host} lets everybody on the network reach this server: if you want that, list the "
            "host names it answers to in CONTRIVANCE_ALLOWED_HOSTS, or set CONTRIVANCE_PUBLIC_URL, or start it with "
            "make run HOST=…"
        )
    public_host = (urlsplit(public_url).hostname or "") if public_url else ""
    names = [*LOOPBACK, *configured, public_host, *(_machine_names() if shared else [])]
    return tuple(dict.fromkeys(name.lower().rstrip(".") for name in names if name))


def _machine_names() -> list[str]:
    """Return the names and addresses of this machine that colleagues may type."""
    import socket  # noqa: PLC0415 only a server that is shared needs it

    import psutil  # noqa: PLC0415 only a server that is shared needs it

    addresses = [address.address.partition("%")[0] for nic in psutil.net_if_addrs().values() for address in nic]
    name = socket.gethostname()
    return [
        name,
        f"{name.partition('.')[0]}.local",
        *(address for address in addresses if "." in address or ":" in address),
    ]


def _token_key(environment: Mapping[str, str], data: Path) -> str:
    """Return the secret that signs tokens: from the environment, or generated once and stored in the data folder."""
    configured = read_value(environment, "CONTRIVANCE_TOKEN_KEY")
    path = data / "token.key"
    if not configured and not path.exists():
        return _create_secret(path, secrets.token_urlsafe(48))
    try:
        key = configured or path.read_text().strip()
    except OSError as error:
        raise InvalidSetting(
            f"The secret in {path} cannot be read: {error.strerror}. Start the server as the owner of the "
            "file, or change its owner."
        ) from error
    if not configured and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise InvalidSetting(f"Others can read the secret in {path}: run chmod 600 {path} and start again.")
    if len(key) < MIN_KEY_LENGTH:
        raise InvalidSetting(
            f"The token key has {len(key)} characters: CONTRIVANCE_TOKEN_KEY needs at least {MIN_KEY_LENGTH}."
        )
    if any(sample in key.lower() for sample in SAMPLE_WORDS) or len(set(key)) < 10:
        raise InvalidSetting("CONTRIVANCE_TOKEN_KEY is a sample, not a secret: use openssl rand -base64 48.")
    return key


def _create_secret(path: Path, secret: str) -> str:
    """Write a secret that only its owner can read. If two processes start together, return the secret of the first."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(handle, "w") as file:
        file.write(secret)
    return secret
