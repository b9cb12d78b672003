"""What every request passes before a page or the API sees it, from the outside in."""

from starlette.middleware import Middleware
from starlette.types import ASGIApp

from api.middleware.arrivals import Arrivals, ClaimsOf
from api.middleware.cors import Cors
from api.middleware.door import ApiDoor
from api.middleware.gate import Gate
from api.middleware.headers import SecurityHeaders
from api.middleware.identity import Identity
from api.middleware.pace import Paced
from api.middleware.requests import RequestLog
from api.middleware.sockets import KindOf, SocketLimits
from api.middleware.uploads import SessionOfPage, Uploads
from core.settings import Settings


def middleware(
    settings: Settings,
    kind_of: KindOf,
    api: ASGIApp,
    claims_of: ClaimsOf = lambda _: None,
    session_of_page: SessionOfPage = lambda _: None,
) -> list[Middleware]:
    """Log, headers, closed doors, pace, who is asking, what they may send, and last who is asked: the API or a page."""
    return [
        Middleware(RequestLog),
        Middleware(SecurityHeaders, settings=settings),
        Middleware(Gate, settings=settings),
        Middleware(Cors, settings=settings),
        Middleware(Paced, settings=settings),
        Middleware(Identity, settings=settings),
        Middleware(Arrivals, settings=settings, claims_of=claims_of),
        Middleware(Uploads, session_of_page=session_of_page),
        Middleware(SocketLimits, kind_of=kind_of),
        Middleware(ApiDoor, api=api),
    ]
