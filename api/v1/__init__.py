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
    copies,
    differences,
    exports,
    favourites,
    histories,
    imports,
    layouts,
    links,
    matches,
    me,
    relations,
    rows,
    sheets,
    teams,
    totals,
    trash,
    undo,
    views,
)

# Routes are matched in this order: those that a grid uses most come first.
ROUTE_MODULES = (
    *(rows, totals, matches, changes, socket, histories, comments, differences, trash, undo, relations),
    *(sheets, copies, columns, views, layouts, imports, exports, collaborators, links, teams),
    *(me, favourites, audit, admin, auth),
)
