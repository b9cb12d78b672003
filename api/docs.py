"""Documentation at /api/docs: Swagger UI, served by this server, so that the page loads nothing from other hosts."""

from pathlib import Path

import fastapi_offline
from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, HTMLResponse

STATIC = Path(fastapi_offline.__file__).parent / "static"
A_DAY = {"Cache-Control": "public, max-age=86400"}

router = APIRouter(include_in_schema=False)


@router.get("/docs")
def page() -> HTMLResponse:
    """The page. Its script is a separate file, because the content security policy forbids inline scripts."""
    return HTMLResponse(_PAGE)


@router.get("/docs/start.js")
def start(request: Request) -> Response:
    """The script that shows the OpenAPI description in the page."""
    script = _START.replace("OPENAPI", f"{request.scope.get('root_path', '')}/openapi.json")
    return Response(script, media_type="text/javascript", headers=A_DAY)


@router.get("/docs/swagger-ui-bundle.js")
def script() -> FileResponse:
    """The script of Swagger UI (Apache 2.0), from the package fastapi-offline."""
    return FileResponse(STATIC / "swagger-ui-bundle.js", media_type="text/javascript", headers=A_DAY)


@router.get("/docs/swagger-ui.css")
def style() -> FileResponse:
    """The style sheet of Swagger UI."""
    return FileResponse(STATIC / "swagger-ui.css", media_type="text/css", headers=A_DAY)


_PAGE = """<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>Contrivance API</title>
  <link rel="icon" href="data:,">
  <link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
  <div id="api">The documentation needs JavaScript. Its source is <a href="openapi.json">openapi.json</a>.</div>
  <script src="docs/swagger-ui-bundle.js"></script>
  <script src="docs/start.js"></script>
</body>
</html>
"""
_START = """SwaggerUIBundle({
  url: "OPENAPI",
  dom_id: "#api",
  deepLinking: true,
  validatorUrl: null,
  // The pages' own sign-in works here as well: the API takes the cookie together with this header.
  requestInterceptor: (request) => {
    request.headers["X-Contrivance"] = "1";
    return request;
  },
});
"""
