"""API v1: its parts, each with a router of its own, which the server has at /api/v1."""

from api.live import socket
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
    me,
    rows,
    sheets,
    teams,
    trash,
    undo,
)

# Routes are tried in this order: what a grid asks for all the time comes first.
PARTS = (
    *(rows, changes, socket, histories, comments, differences, trash, undo),
    *(sheets, columns, layouts, imports, exports, collaborators, links, teams, me, audit, admin, auth),
)
