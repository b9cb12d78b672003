"""Limits of uploads to a page: only from the session that has opened the page, with a length, and limited per user.

The URL contains the ids of an open page and of a file. Others may learn these ids, so they don't authenticate.
"""

from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from api.middleware.asgi import header, is_under, refuse, user_id_of
from api.middleware.session_cookie import SESSION_HEADER
from core.limits import rate_limits

UPLOADS = "/_stcore/upload_file"
MEGABYTE = 2**20
NOT_YOURS = "This page isn't open any more. Reload it and choose the file again."
SessionOfPage = Callable[[str], str | None]  # Returns the session that opened a page; None if the page is not open.


class Uploads:
    """Refuses uploads that are not from the session of the page. Streamlit itself accepts them from any client."""

    def __init__(self, app: ASGIApp, session_of_page: SessionOfPage) -> None:
        self.app = app
        self.session_of_page = session_of_page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not is_upload(scope):
            await self.app(scope, receive, send)
            return
        user_id, length = user_id_of(scope), header(scope, b"content-length")
        if not user_id:
            await refuse(scope, receive, send, 401, "Sign in before you upload a file.")
        elif not self._is_own_page(scope):
            await refuse(scope, receive, send, 404, NOT_YOURS)
        elif scope["method"] != "PUT":
            await self.app(scope, receive, send)
        elif not (length.isascii() and length.isdigit()):
            await refuse(scope, receive, send, 411, "The request needs a Content-Length.")
        elif not await run_in_threadpool(rate_limits.hit, "upload", user_id, cost=int(length[:20]) // MEGABYTE + 1):
            refused = await run_in_threadpool(rate_limits.limit_error, "upload", user_id)
            await refuse(scope, receive, send, 429, refused.message, wait=refused.facts["retry_after"])
        else:
            await self.app(scope, receive, send)

    def _is_own_page(self, scope: Scope) -> bool:
        """Whether the page in the URL was opened by the session of the request."""
        page = scope["path"].removeprefix(f"{UPLOADS}/").partition("/")[0]
        session = header(scope, SESSION_HEADER)
        return bool(session) and self.session_of_page(page) == session


def is_upload(scope: Scope) -> bool:
    """Whether the request is an upload, with any method but OPTIONS: Streamlit may add methods to PUT and DELETE."""
    return scope["type"] == "http" and scope["method"] != "OPTIONS" and is_under(scope["path"], [UPLOADS])
