"""The OpenID Connect provider by which people may sign in, as the settings name it; there is at most one."""

from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

METADATA = "/.well-known/openid-configuration"
DEPARTURE, CALLBACK = "/auth/login", "/oauth2callback"
PROVIDER = "provider"  # What Streamlit calls it.
LABEL = "Single sign-on"
LONGEST_LABEL = 40
_HERE = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Provider:
    """What the server must know of it. `label` is how people call it."""

    metadata_url: str
    client_id: str
    client_secret: str = field(repr=False)
    label: str = LABEL


def read_provider(value_of: Callable[[str], str]) -> Provider | None:
    """The provider that the settings name, None where they name none. ValueError says which setting is wrong."""
    issuer, number, secret, label = (
        value_of(f"CONTRIVANCE_OIDC_{name}") for name in ("ISSUER", "CLIENT_ID", "CLIENT_SECRET", "LABEL")
    )
    if not (issuer or number or secret):
        return None
    if not (issuer and number and secret):
        raise ValueError(
            "Signing in by a provider needs CONTRIVANCE_OIDC_ISSUER, CONTRIVANCE_OIDC_CLIENT_ID and "
            "CONTRIVANCE_OIDC_CLIENT_SECRET: give all three or none."
        )
    if len(label) > LONGEST_LABEL:
        raise ValueError(f"CONTRIVANCE_OIDC_LABEL has more than {LONGEST_LABEL} characters.")
    return Provider(_metadata_url(issuer), number, secret, label or LABEL)


def _metadata_url(issuer: str) -> str:
    parts = urlsplit(issuer)
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _HERE)
    if not (is_safe and parts.hostname) or parts.query or parts.fragment:
        raise ValueError(f"CONTRIVANCE_OIDC_ISSUER is “{issuer}”: give an address like https://login.example.com.")
    plain = issuer.rstrip("/")
    return plain if plain.endswith(METADATA) else plain + METADATA
