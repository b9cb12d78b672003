"""The OpenID Connect callback: stores the claims that Streamlit has verified.

Streamlit would set an identity cookie that is valid for thirty days and can't be revoked. This middleware removes that
cookie from the response, stores its claims for a few minutes and gives the browser a token for them. It also removes
such cookies from requests.
"""

from collections.abc import Callable, Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.base.logs import get_log
from core.config.oidc_settings import CALLBACK_PATH, LOGIN_PATH
from core.config.settings import Settings
from core.sign_in.oidc import store_claims
from db.engine import Busy, transaction

STREAMLIT_COOKIES = "_streamlit_user"  # The prefix of the names of Streamlit's identity cookies.
FAILED_SIGN_IN = "nobody"  # The cookie's value if the provider did not confirm an identity.
SECONDS, FAILED_SECONDS = 600, 20
FAILED_STATUS = 400
ClaimsOf = Callable[[Mapping[str, str]], Mapping[str, Any] | None]
log = get_log("contrivance.arrivals")


class OidcReturn:
    """Removes Streamlit's identity cookies from requests and responses, and stores their claims."""

    def __init__(self, app: ASGIApp, settings: Settings, claims_of: ClaimsOf) -> None:
        self.app = app
        self.settings = settings
        self.claims_of = claims_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            scope["headers"] = [without_streamlit_cookies(pair) for pair in scope["headers"]]
        if scope["type"] == "http" and scope["path"] == CALLBACK_PATH:
            send = self._store_claims(send)
        elif scope["type"] == "http" and scope["path"] == LOGIN_PATH:
            send = self._redirect_errors(send)
        await self.app(scope, receive, send)

    def _store_claims(self, send: Send) -> Send:
        """Replace Streamlit's cookies in the response by a token for their claims."""

        async def store(message: Message) -> None:
            if message["type"] == "http.response.start":
                identity_cookies = remove_streamlit_cookies(message)
                token = await run_in_threadpool(self._token, identity_cookies)
                MutableHeaders(scope=message).append("set-cookie", self._cookie(token))
            await send(message)

        return store

    def _redirect_errors(self, send: Send) -> Send:
        """Redirect to the sign-in page if the provider does not answer."""

        async def redirect(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] >= FAILED_STATUS:
                message["status"], message["headers"] = 303, [(b"location", b"/")]
                MutableHeaders(scope=message).append("set-cookie", self._cookie(None))
            await send(message)

        return redirect

    def _token(self, identity_cookies: Mapping[str, str]) -> str | None:
        """Store the claims of the cookies, and return a token for them; None if there are none."""
        claims = self.claims_of(identity_cookies) if identity_cookies else None
        if not claims:
            return None
        try:
            with transaction() as session:
                return store_claims(session, claims)
        except (SQLAlchemyError, Busy) as error:
            log.warning("arrival.not_noted", reason=type(error).__name__)
            return None

    def _cookie(self, token: str | None) -> str:
        max_age = SECONDS if token else FAILED_SECONDS
        secure = "; Secure" if self.settings.cookie_secure else ""
        name = self.settings.oidc_cookie
        return f"{name}={token or FAILED_SIGN_IN}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Strict{secure}"


def without_streamlit_cookies(pair: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    """A request header without Streamlit's identity cookies."""
    name, value = pair
    if name.lower() != b"cookie" or STREAMLIT_COOKIES.encode() not in value:
        return pair
    others = [cookie for cookie in value.split(b";") if not cookie.strip().startswith(STREAMLIT_COOKIES.encode())]
    return name, b";".join(others).strip()


def remove_streamlit_cookies(message: Message) -> dict[str, str]:
    """Remove Streamlit's identity cookies from a response, and return them."""
    removed: dict[str, str] = {}
    others = []
    for name, value in message.get("headers", []):
        if name.lower() == b"set-cookie" and value.startswith(STREAMLIT_COOKIES.encode()):
            removed |= parse_cookie(value.decode("latin-1"))
        else:
            others.append((name, value))
    message["headers"] = others
    return removed


def parse_cookie(line: str) -> dict[str, str]:
    """Name and value of a Set-Cookie line; empty if it deletes the cookie."""
    try:
        parsed = SimpleCookie(line)
    except CookieError:
        return {}
    return {name: morsel.value for name, morsel in parsed.items() if morsel.value}
