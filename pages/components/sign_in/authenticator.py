"""The sign-in form of streamlit-authenticator over our own accounts: without its cookie, its YAML and its lockout."""

from collections.abc import Callable
from typing import Any

from streamlit_authenticator import Authenticate

LABELS = {"Form name": "Sign in", "Username": "E-mail", "Password": "Password", "Login": "Sign in"}


class NoCookie:
    """Stands where the library keeps its thirty-day cookie; ours is set by the server alone."""

    def get_cookie(self) -> None:
        """There never is one."""

    def set_cookie(self) -> None:
        """Nothing is set."""


class Accounts:
    """What the form asks: our own sign-in. Who is signed in is never the library's to remember."""

    def __init__(self, sign_in: Callable[[str, str], None]) -> None:
        self._sign_in = sign_in

    def login(self, username: str = "", password: str = "", *_: Any, **__: Any) -> bool:
        """Hand over what was typed, exactly as it was typed."""
        self._sign_in(username, password)
        return False


class SignInForm(Authenticate):  # type: ignore[misc]
    """The library's form without its constructor, which would mount a cookie manager in the page."""

    def __init__(self, sign_in: Callable[[str, str], None]) -> None:
        self.path = None
        self.attrs = {"login_sleep_time": 0}
        self.cookie_controller = NoCookie()
        self.authentication_controller = Accounts(sign_in)

    def show(self) -> None:
        """Draw the form; `sign_in` is called with e-mail and password when it is sent."""
        self.login(fields=LABELS, key="sign_in")
