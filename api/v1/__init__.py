"""API v1: all its routes under one router, which the server mounts at /api/v1."""

from fastapi import APIRouter

from api.v1 import auth, changes, collaborators, columns, layouts, live, rows, sheets

PARTS = (auth, sheets, columns, rows, changes, layouts, collaborators, live)

router = APIRouter()
for part in PARTS:
    router.include_router(part.router)
