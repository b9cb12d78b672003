"""Settings of the OpenID Connect provider. There is at most one."""

from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

METADATA_PATH = "/.well-known/openid-configuration"
LOGIN_PATH, CALLBACK_PATH = "/auth/login", "/oauth2callback"
STREAMLIT_PROVIDER = "provider"  # Its name in Streamlit's configuration.
LABEL = "Single sign-on"
MAX_LABEL_LENGTH = 40
_LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Provider:
    """An OpenID Connect provider. `label` is the name shown to users."""

    metadata_url: str
    client_id: str
    client_secret: str = field(repr=False)
    label: str = LABEL


def read_provider(value_of: Callable[[str], str]) -> Provider | None:
    """Return the configured provider, or None. Raises ValueError naming the wrong setting."""
    issuer, client_id, secret, label = (
        value_of(f"CONTRIVANCE_OIDC_{name}") for name in ("ISSUER", "CLIENT_ID", "CLIENT_SECRET", "LABEL")
    )
    if not (issuer or client_id or secret):
        return None
    if not (issuer and client_id and secret):
        raise ValueError(
            "OpenID Connect sign-in needs CONTRIVANCE_OIDC_ISSUER, CONTRIVANCE_OIDC_CLIENT_ID and "
            "CONTRIVANCE_OIDC_CLIENT_SECRET: set all three or none."
        )
    if len(label) > MAX_LABEL_LENGTH:
        raise ValueError(f"CONTRIVANCE_OIDC_LABEL has more than {MAX_LABEL_LENGTH} characters.")
    return Provider(_metadata_url(issuer), client_id, secret, label or LABEL)


def _metadata_url(issuer: str) -> str:
    parts = urlsplit(issuer)
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOCAL_HOSTS)
    if not (is_safe and parts.hostname) or parts.query or parts.fragment:
        raise ValueError(f"CONTRIVANCE_OIDC_ISSUER is “{issuer}”: it must be a URL like https://login.example.com.")
    base_url = issuer.rstrip("/")
    return base_url if base_url.endswith(METADATA_PATH) else base_url + METADATA_PATH
