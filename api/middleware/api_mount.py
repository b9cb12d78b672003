"""Mounts the API beside Streamlit, so that API requests skip Streamlit's own middleware."""

from starlette.routing import Match, Mount
from starlette.types import ASGIApp, Receive, Scope, Send


class ApiMount:
    """Passes requests and sockets under /api to the API, without page sessions and slow compression."""

    def __init__(self, app: ASGIApp, api: ASGIApp) -> None:
        self.app = app
        self.mount = Mount("/api", api)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            match, inside = self.mount.matches(scope)
            if match is Match.FULL:
                scope.update(inside)
                await self.mount.handle(scope, receive, send)
                return
        await self.app(scope, receive, send)
