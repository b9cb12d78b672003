"""Pages of other origins: the API, for the origins that the settings name, with a token and never with a cookie."""

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from api.middleware.asgi import is_under
from core.config.settings import Settings

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
SENT = ("Authorization", "Content-Type", "If-Match", "If-None-Match")
READ = ("ETag", "Retry-After", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "X-Request-ID")


class Cors:
    """Tells browsers that a configured origin may read answers of the API, refusals too; nobody else, nothing else."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        origins = settings.cors_origins
        # Browsers know no way to say “always without cookies”: Identity does not look at one that comes from elsewhere.
        self.api = CORSMiddleware(app, origins, METHODS, SENT, expose_headers=READ) if origins else app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_api = scope["type"] == "http" and is_under(scope["path"], ["/api"])
        await (self.api if is_api else self.app)(scope, receive, send)
