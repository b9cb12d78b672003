"""API v1: all its routes under one router, which the server mounts at /api/v1."""

from fastapi import APIRouter

from api.v1 import (
    admin,
    audit,
    auth,
    changes,
    collaborators,
    columns,
    comments,
    differences,
    exports,
    histories,
    imports,
    layouts,
    links,
    live,
    me,
    rows,
    sheets,
    teams,
    trash,
    undo,
)

# Routes are tried in this order: what a grid asks for all the time comes first.
PARTS = (
    *(rows, changes, live, histories, comments, differences, trash, undo),
    *(sheets, columns, layouts, imports, exports, collaborators, links, teams, me, audit, admin, auth),
)

router = APIRouter()
for part in PARTS:
    router.include_router(part.router)
