"""What every request passes before a page or the API sees it, from the outside in."""

from starlette.middleware import Middleware
from starlette.types import ASGIApp

from api.middleware.door import ApiDoor
from api.middleware.gate import Gate
from api.middleware.headers import SecurityHeaders
from api.middleware.identity import Identity
from api.middleware.requests import RequestLog
from api.middleware.sockets import KindOf, SocketLimits
from core.settings import Settings


def middleware(settings: Settings, kind_of: KindOf, api: ASGIApp) -> list[Middleware]:
    """Log, headers, closed doors, limits, who is asking, and last which of the two is asked: the API or a page."""
    return [
        Middleware(RequestLog),
        Middleware(SecurityHeaders, settings=settings),
        Middleware(Gate, settings=settings),
        Middleware(SocketLimits, kind_of=kind_of),
        Middleware(Identity, settings=settings),
        Middleware(ApiDoor, api=api),
    ]
