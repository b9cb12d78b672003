"""A small OpenID Connect provider: discovery, authorization code with PKCE, RS256; strict about what it is sent."""

import base64
import hashlib
import secrets
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from typing import Any
from urllib.parse import urlencode

import jwt
import uvicorn
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from tests.support.server.started import free_port

CLIENT, SECRET = "contrivance", "the secret of the client"


@dataclass
class LocalProvider:
    """People by subject, with what is said of them. `spoil` changes the claims of the next token."""

    url: str
    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    spoil: dict[str, Any] = field(default_factory=dict)
    key: Any = field(default_factory=lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048))
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)  # Codes and tokens that it has given.
    is_away: bool = False

    @property
    def environment(self) -> dict[str, str]:
        """The settings of a server that trusts this provider."""
        return {
            "CONTRIVANCE_OIDC_ISSUER": self.url,
            "CONTRIVANCE_OIDC_CLIENT_ID": CLIENT,
            "CONTRIVANCE_OIDC_CLIENT_SECRET": SECRET,
            "CONTRIVANCE_OIDC_LABEL": "Northwind ID",
        }

    def id_token(self, subject: str, nonce: str) -> str:
        now = int(time.time())
        claims = {"iss": self.url, "aud": CLIENT, "sub": subject, "iat": now, "exp": now + 300, "nonce": nonce}
        said = claims | self.people[subject] | self.spoil
        self.spoil = {}
        return jwt.encode(said, self.key, algorithm="RS256", headers={"kid": "one"})

    @contextmanager
    def away(self) -> Iterator[None]:
        """Every answer is an error for a while."""
        self.is_away = True
        yield
        self.is_away = False

    def keys(self) -> dict[str, Any]:
        public = jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return {"keys": [{**public, "kid": "one", "alg": "RS256", "use": "sig"}]}


def application(provider: LocalProvider) -> FastAPI:
    app = FastAPI()

    @app.middleware("http")
    async def away(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
        return PlainTextResponse("Away", 503) if provider.is_away else await go_on(request)

    @app.get("/.well-known/openid-configuration")
    def discovery() -> dict[str, Any]:
        return {
            "issuer": provider.url,
            "authorization_endpoint": f"{provider.url}/authorize",
            "token_endpoint": f"{provider.url}/token",
            "jwks_uri": f"{provider.url}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
        }

    @app.get("/keys")
    def keys() -> dict[str, Any]:
        return provider.keys()

    @app.get("/authorize", response_class=HTMLResponse)
    def authorize(request: Request) -> str:
        """Choose who to be."""
        asked = dict(request.query_params)
        is_sound = asked["client_id"] == CLIENT and asked["response_type"] == "code" and "openid" in asked["scope"]
        if not is_sound or asked["code_challenge_method"] != "S256" or not asked["nonce"]:
            raise HTTPException(400)
        ways = [
            f'<p><a href="/choose?{escape(urlencode(asked | {"who": who}))}">{who}</a></p>' for who in provider.people
        ]
        return "".join([*ways, f'<p><a href="/choose?{escape(urlencode(asked | {"who": ""}))}">nobody</a></p>'])

    @app.get("/choose")
    def choose(request: Request) -> RedirectResponse:
        asked = dict(request.query_params)
        if not asked["who"]:
            refused = {"error": "access_denied", "error_description": "No", "state": asked["state"]}
            return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(refused)}", 303)
        code = secrets.token_urlsafe(16)
        provider.codes[code] = asked
        provider.told.append(code)
        back = urlencode({"code": code, "state": asked["state"]})
        return RedirectResponse(f"{asked['redirect_uri']}?{back}", 303)

    @app.post("/token")
    async def token(request: Request) -> dict[str, Any]:
        """Each code once, for the client that has its secret and the verifier of its challenge."""
        given = await request.form()
        credentials = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        asked = provider.codes.pop(str(given["code"]), None)
        verifier = hashlib.sha256(str(given["code_verifier"]).encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).decode().rstrip("=")
        if (
            asked is None
            or request.headers["authorization"] != f"Basic {credentials}"
            or challenge != asked["code_challenge"]
            or given["redirect_uri"] != asked["redirect_uri"]
        ):
            raise HTTPException(400)
        id_token = provider.id_token(asked["who"], asked["nonce"])
        provider.told.append(id_token)
        return {
            "access_token": secrets.token_urlsafe(),
            "token_type": "Bearer",
            "expires_in": 300,
            "id_token": id_token,
        }

    return app


@contextmanager
def running_provider() -> Iterator[LocalProvider]:
    """A provider that answers on this machine until the block ends."""
    port = free_port()
    provider = LocalProvider(f"http://127.0.0.1:{port}")
    server = uvicorn.Server(uvicorn.Config(application(provider), port=port, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield provider
    server.should_exit = True
    thread.join(5)
