"""Security headers: what browsers may load on our pages, who may frame them, and which referrers they send."""

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
    """Adds security headers to responses that do not set their own, and under HTTPS `Secure` to every cookie."""

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

        has_headers = scope["type"] == "http" or (self.https and scope["type"] == "websocket")
        await self.app(scope, receive, add if has_headers else send)


def secured(pair: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    """A response header, with `Secure` if it sets a cookie: Streamlit omits it, as it does not see the proxy."""
    name, value = pair
    if name.lower() != b"set-cookie" or b"secure" in [attribute.strip().lower() for attribute in value.split(b";")]:
        return pair
    return name, value + b"; Secure"


def security_headers(*, https: bool) -> dict[str, str]:
    """Headers that allow content of this server only, and forbid framing."""
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
    """The policy. It allows blob: scripts and inline styles, because Streamlit's components need them."""
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
    """The hashes of the inline scripts in Streamlit's page. No other inline script runs."""
    package = find_spec("streamlit")
    page = Path(package.origin or "").parent / "static" / "index.html" if package else Path("/nonexistent")
    scripts = INLINE_SCRIPT.findall(page.read_text()) if page.exists() else []
    return tuple(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" for script in scripts
    )
