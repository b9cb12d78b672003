"""Checks the host and origin of requests, and closes some of Streamlit's paths."""

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
# The redirects to and from an OpenID Connect provider: open if a provider is configured.
OIDC_PATHS = (LOGIN_PATH, CALLBACK_PATH)


class HostOriginCheck:
    """Refuses unknown hosts, requests of other origins, and closed paths."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif not self._is_known(host_name(header(scope, b"host"))):
            await refuse(scope, receive, send, 421, "This server isn't configured for that host name.")
        elif not self._may_come_from(scope, header(scope, b"origin")):
            await refuse(scope, receive, send, 403, "This request comes from another site.")
        elif self._is_closed(scope["path"].rstrip("/")):
            await refuse(scope, receive, send, 404, "This page doesn't exist.")
        else:
            await self.app(scope, receive, send)

    def _is_known(self, name: str) -> bool:
        return name in self.settings.allowed_hosts or "*" in self.settings.allowed_hosts

    def _is_closed(self, path: str) -> bool:
        return is_under(path, CLOSED) and not (self.settings.provider and path in OIDC_PATHS)

    def _may_come_from(self, scope: Scope, origin: str) -> bool:
        """Whether the origin may send the request. Reads over HTTP are safe: browsers hide the response from it."""
        if not origin or (scope["type"] == "http" and scope["method"] not in UNSAFE):
            return True
        is_configured = is_under(scope["path"], ["/api"]) and origin in self.settings.cors_origins
        return is_own(scope, origin, self.settings) or is_configured


def is_own(scope: Scope, origin: str, settings: Settings) -> bool:
    """Whether the origin is this server, under the request's host name or its public URL."""
    return origin == settings.public_url or urlsplit(origin).netloc.lower() == header(scope, b"host").lower()


def host_name(host: str) -> str:
    """The name in a Host header; empty if the header is malformed."""
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port  # Raises ValueError if the port is not a number.
    except ValueError:
        return ""
    is_plain = parts.netloc == host and "@" not in host
    return (parts.hostname or "").rstrip(".") if is_plain else ""
