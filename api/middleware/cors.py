"""CORS: the origins in the settings may use the API, with a token and never with a cookie."""

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from api.middleware.asgi import is_under
from core.config.settings import Settings

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
REQUEST_HEADERS = ("Authorization", "Content-Type", "If-Match", "If-None-Match")
RESPONSE_HEADERS = ("ETag", "Retry-After", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "X-Request-ID")


class Cors:
    """Sends CORS headers for the API to configured origins only, with errors as well."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        origins = settings.cors_origins
        # CORS has no option “never with cookies”, so Identity ignores cookies in requests from other origins.
        self.api = (
            CORSMiddleware(app, origins, METHODS, REQUEST_HEADERS, expose_headers=RESPONSE_HEADERS) if origins else app
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_api = scope["type"] == "http" and is_under(scope["path"], ["/api"])
        await (self.api if is_api else self.app)(scope, receive, send)
