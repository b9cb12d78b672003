"""Security headers: what a browser may load, frame and tell others about our pages."""

import base64
import hashlib
import re
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.config.settings import Settings

INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


class SecurityHeaders:
    """Adds the headers to every answer that does not bring its own, and under https Secure to every cookie."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        headers = security_headers(https=settings.cookie_secure)
        self.https = settings.cookie_secure
        self.headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def add(message: Message) -> None:
            if self.https and message["type"] in {"http.response.start", "websocket.accept"}:
                message["headers"] = [secured(pair) for pair in message.get("headers", [])]
            if message["type"] == "http.response.start":
                own = {name.lower() for name, _ in message.get("headers", [])}
                message["headers"] = [
                    *message.get("headers", []),
                    *(pair for pair in self.headers if pair[0] not in own),
                ]
            await send(message)

        adds = scope["type"] == "http" or (self.https and scope["type"] == "websocket")
        await self.app(scope, receive, add if adds else send)


def secured(pair: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    """A header of an answer; a cookie goes over https alone, also Streamlit's, which does not know of the proxy."""
    name, value = pair
    if name.lower() != b"set-cookie" or b"secure" in [attribute.strip().lower() for attribute in value.split(b";")]:
        return pair
    return name, value + b"; Secure"


def security_headers(*, https: bool) -> dict[str, str]:
    """Headers that allow content of this server only, and framing by none."""
    headers = {
        "Content-Security-Policy": content_security_policy(),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    }
    return headers | ({"Strict-Transport-Security": "max-age=31536000"} if https else {})


def content_security_policy() -> str:
    """Streamlit loads a component's inline module from a blob: URL and styles its elements in place."""
    rules = {
        "default-src": "'self'",
        "script-src": " ".join(["'self'", "blob:", *inline_script_hashes()]),
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "media-src": "'self' data: blob:",
        "worker-src": "'self' blob:",
        "connect-src": "'self'",
        "frame-src": "'self'",
        "frame-ancestors": "'none'",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


@lru_cache(maxsize=1)
def inline_script_hashes() -> tuple[str, ...]:
    """The scripts that stand in Streamlit's own page, by their content: no other inline script runs."""
    package = find_spec("streamlit")
    page = Path(package.origin or "").parent / "static" / "index.html" if package else Path("/nonexistent")
    scripts = INLINE_SCRIPT.findall(page.read_text()) if page.exists() else []
    return tuple(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" for script in scripts
    )
