"""Files for a page's own form: from whoever is signed in, with a length, and so many megabytes a person."""

from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from api.middleware.asgi import UNSAFE, header, is_under, person_of, refuse
from core import limits

UPLOADS = "/_stcore/upload_file"
MEGABYTE = 2**20


class Uploads:
    """Streamlit keeps what is uploaded in memory, for whoever sends it: so we ask first."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not is_upload(scope):
            await self.app(scope, receive, send)
            return
        person, length = person_of(scope), header(scope, b"content-length")
        if not person:
            await refuse(scope, receive, send, 401, "Sign in before you upload a file.")
        elif scope["method"] == "DELETE":
            await self.app(scope, receive, send)
        elif not (length.isascii() and length.isdigit()):
            await refuse(scope, receive, send, 411, "Say how long the file is.")
        elif not await run_in_threadpool(limits.hit, "upload", person, cost=int(length[:20]) // MEGABYTE + 1):
            refused = await run_in_threadpool(limits.refusal, "upload", person)
            await refuse(scope, receive, send, 429, refused.message, wait=refused.facts["retry_after"])
        else:
            await self.app(scope, receive, send)


def is_upload(scope: Scope) -> bool:
    return scope["type"] == "http" and scope["method"] in UNSAFE and is_under(scope["path"], [UPLOADS])
