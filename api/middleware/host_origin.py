"""Checks of the host and origin of a request, and paths of Streamlit that stay closed."""

from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from api.middleware.asgi import UNSAFE, header, is_under, refuse
from core.config.oidc_settings import CALLBACK_PATH, LOGIN_PATH
from core.config.settings import Settings

CLOSED = (
    "/_stcore/metrics",
    "/_stcore/agent",
    "/_stcore/script-health-check",
    "/app/static",
    "/auth",
    CALLBACK_PATH,
)
# The redirects to and from an OpenID Connect provider: open if one is configured.
TO_PROVIDER = (LOGIN_PATH, CALLBACK_PATH)


class HostOriginCheck:
    """Refuses unknown hosts, requests of other origins, and closed paths."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif not self._is_known(host_name(header(scope, b"host"))):
            await refuse(scope, receive, send, 421, "This server does not answer to that host name.")
        elif not self._may_come_from(scope, header(scope, b"origin")):
            await refuse(scope, receive, send, 403, "This request comes from another site.")
        elif self._is_closed(scope["path"].rstrip("/")):
            await refuse(scope, receive, send, 404, "There is nothing here.")
        else:
            await self.app(scope, receive, send)

    def _is_known(self, name: str) -> bool:
        return name in self.settings.allowed_hosts or "*" in self.settings.allowed_hosts

    def _is_closed(self, path: str) -> bool:
        return is_under(path, CLOSED) and not (self.settings.provider and path in TO_PROVIDER)

    def _may_come_from(self, scope: Scope, origin: str) -> bool:
        """Reading over HTTP is harmless: the browser keeps the answer from a foreign page."""
        if not origin or (scope["type"] == "http" and scope["method"] not in UNSAFE):
            return True
        configured = is_under(scope["path"], ["/api"]) and origin in self.settings.cors_origins
        return is_own(scope, origin, self.settings) or configured


def is_own(scope: Scope, origin: str, settings: Settings) -> bool:
    """Whether the origin is this very server, under the name that the request uses or its public address."""
    return origin == settings.public_url or urlsplit(origin).netloc.lower() == header(scope, b"host").lower()


def host_name(host: str) -> str:
    """The name in a Host header, empty where it is malformed."""
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port  # Raises if it is not a number.
    except ValueError:
        return ""
    plain = parts.netloc == host and "@" not in host
    return (parts.hostname or "").rstrip(".") if plain else ""
