"""Opening a public link: /l/<token> requires its password if it has one, and redirects to the sheet with a cookie.

Plain pages without a script, not Streamlit's: the visitor is not authenticated yet and must not get the app.
"""

import base64
import hashlib
from html import escape
from typing import Any
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from api.http.json_body import read_body
from core.base.errors import Invalid, NotFound, Refused, Throttled
from core.config.settings import Settings
from core.sharing.public_link_visits import WRONG_PASSWORD, PasswordRequired, Visit, open_link
from db import disk
from db.engine import Busy, transaction

MAX_BODY_BYTES = 2000
NO_DATABASE = "The database does not answer. Try again in a moment."
STATUS: dict[type[Refused], int] = {PasswordRequired: 401, Throttled: 429, NotFound: 404, Invalid: 422}


def routes(settings: Settings) -> list[Route]:
    """GET /l/<token> opens a link; POST gives its password."""

    async def link_page(request: Request) -> Response:
        if request.method == "HEAD":  # A mail program that checks the link must not open a visit.
            return Response(headers=HEADERS)
        password = await _password(request) if request.method == "POST" else ""
        try:
            visit = await run_in_threadpool(_open, request, password, settings)
        except Refused as refusal:
            return _page(refusal)
        except Busy:
            return _page(Refused(disk.reason(NO_DATABASE)), 503)
        return _redirect(visit, settings)

    return [Route("/l/{token}", link_page, methods=["GET", "POST"])]


def visit_tokens(cookies: dict[str, str], settings: Settings) -> dict[int, str]:
    """The visit tokens in a browser's cookies, by link id."""
    numbered = ((name.removeprefix(settings.link_cookie_prefix), token) for name, token in cookies.items())
    return {
        int(number): token for number, token in numbered if number.isascii() and number.isdigit() and len(number) < 19
    }


def _open(request: Request, password: str, settings: Settings) -> Visit:
    address = request.client.host if request.client else None
    tokens = visit_tokens(request.cookies, settings)
    return open_link(transaction, request.path_params["token"], password=password, address=address, visit_tokens=tokens)


def _redirect(visit: Visit, settings: Settings) -> Response:
    """Redirect to the sheet. Its URL names the link and contains no secret."""
    response = RedirectResponse(f"/shared?link={visit.link_id}", 303, HEADERS)
    if visit.token:
        # Lax: a link in an e-mail is opened from another site. A visit can only read.
        protection: dict[str, Any] = {"httponly": True, "samesite": "lax", "secure": settings.cookie_secure}
        name = f"{settings.link_cookie_prefix}{visit.link_id}"
        response.set_cookie(name, visit.token, max_age=visit.seconds, path="/", **protection)
    return response


async def _password(request: Request) -> str:
    """The password in the form, without the line end of the field; empty without one."""
    try:
        body = (await read_body(request, MAX_BODY_BYTES)).decode()
        return parse_qs(body, strict_parsing=True, max_num_fields=3).get("password", [""])[0]
    except Exception:  # noqa: BLE001 - a body that cannot be read has no password.
        return ""


def _page(refusal: Refused, status: int | None = None) -> Response:
    """The form for a password, or the reason why the link does not open."""
    code = status or next((code for kind, code in STATUS.items() if isinstance(refusal, kind)), 404)
    needs_password = isinstance(refusal, PasswordRequired)
    title = "This sheet needs a password" if needs_password else "This link doesn't open"
    is_wrong = ' class="wrong"' if refusal.message == WRONG_PASSWORD else ""
    message = f'<p role="alert"{is_wrong}>{escape(refusal.message)}</p>'
    wait = refusal.facts.get("retry_after")
    headers = HEADERS | ({"Retry-After": str(wait)} if wait else {})
    page = PAGE.format(title=title, style=STYLE, content=f"<h1>{title}</h1>{message}{FORM if needs_password else ''}")
    return HTMLResponse(page, code, headers)


FORM = """
<form method="post" autocomplete="off">
<label for="password">Password</label>
<input id="password" name="password" type="password" required autofocus maxlength="200">
<button>Open the sheet</button>
</form>"""
STYLE = """
:root{color-scheme:light dark;--back:#f3f5f6;--card:#fff;--text:#1c2730;--faint:#5b6972;--line:#d5dbdf;
--main:#0b6b6b;--on:#fff;--wrong:#b3352e}
@media(prefers-color-scheme:dark){:root{--back:#0d1317;--card:#12191e;--text:#e3e9ec;--faint:#9fadb5;--line:#32404a;
--main:#4fb8b0;--on:#0d1317;--wrong:#e5736a}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:16px;background:var(--back);color:var(--text);
font:15px/1.5 "Source Sans",system-ui,sans-serif}
main{width:100%;max-width:400px;padding:32px;background:var(--card);border:1px solid var(--line);border-radius:8px}
small{color:var(--main);font-weight:600}
h1{margin:4px 0 8px;font-size:1.375rem;line-height:1.3}
p{margin:0;color:var(--faint)}
.wrong{color:var(--wrong)}
form{display:grid;gap:8px;margin-top:20px}
label{font-weight:600}
input,button{width:100%;min-height:44px;padding:8px 12px;border-radius:6px;border:1px solid var(--line);font:inherit}
input{background:var(--back);color:var(--text)}
button{margin-top:8px;background:var(--main);border-color:var(--main);color:var(--on);font-weight:600;cursor:pointer}
:focus-visible{outline:2px solid var(--main);outline-offset:2px}
"""
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><title>{title}</title><style>{style}</style></head>
<body><main><small>Contrivance</small>{content}</main></body></html>"""


def _policy() -> str:
    """Allow the one style sheet, by its hash, and the form; forbid everything else."""
    style = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    rules = f"default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; "
    return rules + "base-uri 'none'; frame-ancestors 'none'"


HEADERS = {
    "Content-Security-Policy": _policy(),
    # The URL contains the token. `no-referrer` would hide the form's origin from HostOriginCheck.
    "Referrer-Policy": "strict-origin",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
}
