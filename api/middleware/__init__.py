"""The middleware that every request passes before it reaches a page or the API, outermost first."""

from starlette.middleware import Middleware
from starlette.types import ASGIApp

from api.middleware.api_mount import ApiMount
from api.middleware.cors import Cors
from api.middleware.headers import SecurityHeaders
from api.middleware.host_origin import HostOriginCheck
from api.middleware.oidc_return import ClaimsOf, OidcReturn
from api.middleware.rate_limit import RateLimit
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
    """The layers in order: log, headers, host and origin, rate limits, identity, input, then the API or a page."""
    return [
        Middleware(RequestLog),
        Middleware(SecurityHeaders, settings=settings),
        Middleware(HostOriginCheck, settings=settings),
        Middleware(Cors, settings=settings),
        Middleware(RateLimit, settings=settings),
        Middleware(Identity, settings=settings),
        Middleware(OidcReturn, settings=settings, claims_of=claims_of),
        Middleware(Uploads, session_of_page=session_of_page),
        Middleware(SocketLimits, kind_of=kind_of),
        Middleware(ApiMount, api=api),
    ]
