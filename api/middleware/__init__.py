"""What every request passes before a page or the API sees it, from the outside in."""

from starlette.middleware import Middleware
from starlette.types import ASGIApp

from api.middleware.api_mount import ApiDoor
from api.middleware.cors import Cors
from api.middleware.headers import SecurityHeaders
from api.middleware.host_origin import Gate
from api.middleware.oidc_return import Arrivals, ClaimsOf
from api.middleware.rate_limit import Paced
from api.middleware.request_log import RequestLog
from api.middleware.session_cookie import Identity
from api.middleware.socket_limits import KindOf, SocketLimits
from api.middleware.upload_limits import SessionOfPage, Uploads
from core.config.settings import Settings


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
