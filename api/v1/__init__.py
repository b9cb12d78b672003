"""Version 1 of the API, at /api/v1: the modules with its routes."""

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

# Routes are matched in this order: those that a grid uses most come first.
ROUTE_MODULES = (
    *(rows, changes, socket, histories, comments, differences, trash, undo),
    *(sheets, columns, layouts, imports, exports, collaborators, links, teams, me, audit, admin, auth),
)
