"""The API as an application of its own, mounted at /api: health, version 1, documentation, problem details."""

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

from api import docs, health
from api.http.problems import DESCRIBED, install_problems
from api.v1 import PARTS
from api.v1.fast_edit import Shortcut

SUMMARY = "Read and edit sheets, follow their changes live, import and export."


def create_api() -> FastAPI:
    """The API with its routes."""
    api = FastAPI(title="Contrivance", version="1", summary=SUMMARY, docs_url=None, redoc_url=None, responses=DESCRIBED)
    # Each by itself: what stands in a router of routers is looked for twice on every level.
    for part in PARTS:
        api.include_router(part.router, prefix="/v1")
    api.include_router(health.router)
    api.include_router(docs.router)
    install_problems(api)
    # RawStatement rather than small: a page of rows shrinks to a fifth in a fraction of a millisecond.
    api.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=4)
    api.add_middleware(Shortcut)
    return api
