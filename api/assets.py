"""The components' bundles at /assets/<component>/<name>.<hash>.js. The hash lets browsers cache them forever."""

from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

COMPONENTS = Path(__file__).parents[1] / "pages" / "components"


class Immutable(StaticFiles):
    """Files whose content never changes."""

    async def get_response(self, path: str, scope: MutableMapping[str, Any]) -> Response:
        response = await super().get_response(path, scope)
        if response.status_code >= 400:
            raise HTTPException(response.status_code)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


def asset_mounts() -> list[Mount]:
    """One mount for each component that has a bundle."""
    folders = sorted(COMPONENTS.glob("*/dist"))
    return [Mount(f"/assets/{folder.parent.name}", Immutable(directory=folder)) for folder in folders]
