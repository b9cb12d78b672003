"""Settings: read once from the environment into one frozen object; a bad value stops the start with one sentence."""

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
from core.config.rate_settings import RATES, Kind, Rate, read_rates

ROOT = Path(__file__).parents[2]
ROOT_DATA = Path("/var/lib/contrivance")
LOOPBACK = ("localhost", "127.0.0.1", "::1")
LOG_LEVELS = ("debug", "info", "warning", "error")
SHORTEST_KEY = 32
SAMPLES = ("change", "example", "sample", "secret", "password")


class BadSetting(Exception):
    """The start is refused; the message is the sentence for whoever starts the server."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that differs from one installation to the next. Secrets stay out of its repr."""

    data: Path
    host: str = "127.0.0.1"
    port: int = 8501
    public_url: str = ""
    allowed_hosts: tuple[str, ...] = LOOPBACK
    cors_origins: tuple[str, ...] = ()
    cookie_secure: bool = False
    demo: bool = True
    provider: Provider | None = None
    log_level: str = "info"
    rates: Mapping[Kind, Rate] = field(default_factory=lambda: RATES)
    redis_url: str = field(default="", repr=False)
    database_url: str = field(default="", repr=False)
    app_database_url: str = field(default="", repr=False)
    token_key: str = field(default="", repr=False)

    @property
    def embedded(self) -> bool:
        """Whether the database is the one that we start ourselves."""
        return not self.database_url

    @property
    def url(self) -> str:
        """The address at which a person opens the product, without a slash at the end."""
        if self.public_url:
            return self.public_url
        host = "localhost" if self.host in {*LOOPBACK, "0.0.0.0", "::"} else self.host  # noqa: S104 compared, not bound
        return f"http://{host}:{self.port}"

    @property
    def cookie_name(self) -> str:
        """The session cookie's name; on https its prefix makes the browser insist on Secure, our host and path /."""
        return "__Host-contrivance_session" if self.cookie_secure else "contrivance_session"

    @property
    def nonce_name(self) -> str:
        """The cookie that ties a sign-in to the browser that began it."""
        return "__Host-contrivance_nonce" if self.cookie_secure else "contrivance_nonce"

    @property
    def arrival_name(self) -> str:
        """The cookie of somebody whom the provider has just sent here, until a page has taken them in."""
        return "__Host-contrivance_arrival" if self.cookie_secure else "contrivance_arrival"

    @property
    def device_name(self) -> str:
        """The cookie of a browser in which somebody signed in before; it opens nothing."""
        return "__Host-contrivance_device" if self.cookie_secure else "contrivance_device"

    @property
    def link_cookie(self) -> str:
        """How the cookies of public links begin; each ends with the number of its link."""
        return "__Host-contrivance_link_" if self.cookie_secure else "contrivance_link_"

    def derived_key(self, purpose: str) -> str:
        """A key of its own for each purpose, all from the one secret."""
        return hmac.new(self.token_key.encode(), purpose.encode(), hashlib.sha256).hexdigest()


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process."""
    return read_settings(os.environ)


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Read and check everything; makes the data folder and the token key where they are missing."""
    data = data_folder(value_of(environment, "CONTRIVANCE_DATA"))
    public_url = _public_url(value_of(environment, "CONTRIVANCE_PUBLIC_URL"))
    host = value_of(environment, "CONTRIVANCE_HOST") or "127.0.0.1"
    return Settings(
        data=data,
        host=host,
        port=_port(value_of(environment, "CONTRIVANCE_PORT") or "8501"),
        public_url=public_url,
        allowed_hosts=_allowed_hosts(environment, host, public_url),
        cors_origins=tuple(_public_url(part) for part in _list(environment, "CONTRIVANCE_CORS_ORIGINS")),
        cookie_secure=_yes(environment, "CONTRIVANCE_COOKIE_SECURE", default=public_url.startswith("https://")),
        demo=_yes(environment, "CONTRIVANCE_DEMO", default=True),
        provider=_provider(environment, host, public_url),
        log_level=_log_level(value_of(environment, "CONTRIVANCE_LOG_LEVEL") or quiet_where_watched()),
        rates=_rates(value_of(environment, "CONTRIVANCE_LIMITS")),
        redis_url=_redis_url(value_of(environment, "CONTRIVANCE_REDIS_URL")),
        database_url=_database_url(environment, "DATABASE_URL"),
        app_database_url=_database_url(environment, "CONTRIVANCE_APP_DATABASE_URL"),
        token_key=_token_key(environment, data),
    )


def refuse_missing(environment: Mapping[str, str]) -> None:
    """For whoever only looks: refuses a folder, key or database that a start would make. Nothing is made."""
    given = value_of(environment, "CONTRIVANCE_DATA")
    folder = Path(given).expanduser().resolve() if given else _default_data()
    needed = {
        folder: "a data folder",
        folder / "token.key": "" if value_of(environment, "CONTRIVANCE_TOKEN_KEY") else "the secret that signs tokens",
        folder / "postgres": "" if value_of(environment, "DATABASE_URL") else "a database",
    }
    for path, what in needed.items():
        if what and not path.exists():
            raise BadSetting(
                f"{path} is missing, where {what} should be; nothing was made. Check the path (CONTRIVANCE_DATA, or "
                "DATA=… of make): where it is right and new, the first start makes everything."
            )


def data_folder(given: str) -> Path:
    """The data folder, made with mode 0700 where it is missing. Refuses one that others can read or is not ours."""
    folder = Path(given).expanduser().resolve() if given else _default_data()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        entries = {entry.name for entry in folder.iterdir()} - {"lost+found"}
    except OSError as error:
        raise BadSetting(f"The data folder {folder} cannot be used: {error.strerror}.") from error
    if not entries:
        folder.chmod(0o700)
    elif not entries & {"token.key", "postgres"}:
        raise BadSetting(f"The data folder {folder} holds other things: name an empty or a new folder (DATA=…).")
    if stat.S_IMODE(folder.stat().st_mode) & 0o066:
        raise BadSetting(f"Others can read the data folder {folder}: run chmod 700 {folder} and start again.")
    return folder


def _default_data() -> Path:
    """`data` beside the code; for root somewhere that the database's own system user can reach."""
    hidden = any(not parent.stat().st_mode & stat.S_IXOTH for parent in [ROOT, *ROOT.parents])
    return ROOT_DATA if os.geteuid() == 0 and hidden else ROOT / "data"


def value_of(environment: Mapping[str, str], name: str) -> str:
    """The value of NAME, or the content of the file that NAME_FILE names; empty where neither is given."""
    if path := environment.get(f"{name}_FILE"):
        try:
            value = Path(path).read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise BadSetting(f"{name}_FILE names {path}, which cannot be read.") from error
        if not value:
            raise BadSetting(f"{name}_FILE names {path}, which is empty.")
        return value
    return environment.get(name, "").strip()


def _list(environment: Mapping[str, str], name: str) -> list[str]:
    return [part.strip() for part in value_of(environment, name).split(",") if part.strip()]


def _yes(environment: Mapping[str, str], name: str, *, default: bool) -> bool:
    value = value_of(environment, name).lower()
    if value not in {"", "yes", "no", "true", "false", "1", "0"}:
        raise BadSetting(f"{name} is “{value}”: say yes or no.")
    return value in {"yes", "true", "1"} if value else default


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise BadSetting(f"CONTRIVANCE_PORT is “{text}”: give a number from 1 to 65535.")
    return int(text)


def quiet_where_watched() -> str:
    """On a person's terminal only warnings, so that the links printed at the start stay in sight."""
    return "warning" if sys.stderr.isatty() else "info"


def _log_level(text: str) -> str:
    if text.lower() not in LOG_LEVELS:
        raise BadSetting(f"CONTRIVANCE_LOG_LEVEL is “{text}”: choose one of {', '.join(LOG_LEVELS)}.")
    return text.lower()


def _public_url(text: str) -> str:
    parts = urlsplit(text)
    plain = not (parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc)
    if text and not (parts.scheme in {"http", "https"} and parts.hostname and plain):
        raise BadSetting(f"“{text}” is no address like https://sales.example.com (nothing after the host).")
    return text.rstrip("/")


def _database_url(environment: Mapping[str, str], name: str) -> str:
    url = value_of(environment, name)
    scheme = url.partition("://")[0]
    if url and scheme not in {"postgresql", "postgres", "postgresql+psycopg"}:
        raise BadSetting(f"{name} must begin with postgresql://; leave it out to use the built-in database.")
    return url


def _rates(text: str) -> Mapping[Kind, Rate]:
    try:
        return read_rates(text)
    except ValueError as error:
        raise BadSetting(f"CONTRIVANCE_LIMITS: {error}; “off” means none.") from error


def _provider(environment: Mapping[str, str], host: str, public_url: str) -> Provider | None:
    """Whom people may sign in by. The provider sends them back to one address: it must be one that they can reach."""
    try:
        found = read_provider(partial(value_of, environment))
    except ValueError as error:
        raise BadSetting(str(error)) from error
    if found and host not in LOOPBACK and not public_url:
        raise BadSetting("Signing in by a provider needs CONTRIVANCE_PUBLIC_URL: there it sends people back.")
    return found


def _redis_url(url: str) -> str:
    if url and url.partition("://")[0] not in {"redis", "rediss", "unix"}:
        raise BadSetting("CONTRIVANCE_REDIS_URL must begin with redis://, rediss:// or unix://; leave it out for none.")
    return url


def _allowed_hosts(environment: Mapping[str, str], host: str, public_url: str) -> tuple[str, ...]:
    """The Host names that we answer to. A bind beyond this machine must be said twice: none happens by mistake."""
    named = _list(environment, "CONTRIVANCE_ALLOWED_HOSTS")
    shared = _yes(environment, "CONTRIVANCE_SHARE_ON_NETWORK", default=False)
    if host not in LOOPBACK and not (named or public_url or shared):
        raise BadSetting(
            f"CONTRIVANCE_HOST={host} lets everybody on the network reach this server: if that is meant, name the "
            "hosts it answers to in CONTRIVANCE_ALLOWED_HOSTS, or set CONTRIVANCE_PUBLIC_URL, or start it with "
            "make run HOST=…"
        )
    own = (urlsplit(public_url).hostname or "") if public_url else ""
    names = [*LOOPBACK, *named, own, *(_names_of_this_machine() if shared else [])]
    return tuple(dict.fromkeys(name.lower().rstrip(".") for name in names if name))


def _names_of_this_machine() -> list[str]:
    """What colleagues may type: the machine's name and its addresses."""
    import socket  # noqa: PLC0415 only a server that is shared needs it

    import psutil  # noqa: PLC0415 the same

    found = [address.address.partition("%")[0] for nic in psutil.net_if_addrs().values() for address in nic]
    name = socket.gethostname()
    return [
        name,
        f"{name.partition('.')[0]}.local",
        *(address for address in found if "." in address or ":" in address),
    ]


def _token_key(environment: Mapping[str, str], data: Path) -> str:
    """The secret that signs tokens: given, or generated once and kept in the data folder for nobody else to read."""
    given = value_of(environment, "CONTRIVANCE_TOKEN_KEY")
    path = data / "token.key"
    if not given and not path.exists():
        return _kept(path, secrets.token_urlsafe(48))
    try:
        key = given or path.read_text().strip()
    except OSError as error:
        raise BadSetting(
            f"The secret in {path} cannot be read: {error.strerror}. Start as the user whose file it is, or give it to "
            "the one who starts the server."
        ) from error
    if not given and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise BadSetting(f"Others can read the secret in {path}: run chmod 600 {path} and start again.")
    if len(key) < SHORTEST_KEY:
        raise BadSetting(
            f"The token key has {len(key)} characters: CONTRIVANCE_TOKEN_KEY needs at least {SHORTEST_KEY}."
        )
    if any(sample in key.lower() for sample in SAMPLES) or len(set(key)) < 10:
        raise BadSetting("CONTRIVANCE_TOKEN_KEY is a sample, not a secret: make one with openssl rand -base64 48.")
    return key


def _kept(path: Path, secret: str) -> str:
    """Write a secret for its owner's eyes only; of two processes that start together the first one's counts."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(handle, "w") as file:
        file.write(secret)
    return secret
