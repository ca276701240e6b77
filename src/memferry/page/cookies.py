"""The cookies of the page: the sign-in of a browser, and the theme it likes."""

from starlette.requests import Request
from starlette.responses import Response

from memferry.tenants.sign_ins import SIGN_IN_SECONDS, SignInSecret

THEMES = ("light", "dark")
_THEME = "memferry_theme"
_THEME_SECONDS = 365 * 24 * 3600


def read_sign_in(request: Request) -> SignInSecret | None:
    """The sign-in that a browser sends; None if it sends none."""
    for secure in (True, False):
        if text := request.cookies.get(_name_sign_in(request, secure=secure)):
            return SignInSecret(text)
    return None


def keep_sign_in(request: Request, answer: Response, secret: SignInSecret) -> None:
    """Have the browser keep a sign-in, out of the reach of scripts and of other sites."""
    secure = _is_secure(request)
    answer.set_cookie(
        _name_sign_in(request, secure=secure),
        secret.text,
        max_age=SIGN_IN_SECONDS,
        path="/",
        secure=secure,
        httponly=True,
        samesite="strict",
    )


def drop_sign_in(request: Request, answer: Response) -> None:
    """Have the browser forget its sign-in."""
    for secure in (True, False):
        name = _name_sign_in(request, secure=secure)
        if name in request.cookies:
            answer.delete_cookie(name, secure=secure, httponly=True, samesite="strict")


def read_theme(request: Request) -> str:
    """`light`, `dark`, or nothing: as the system has it."""
    theme = request.cookies.get(_THEME, "")
    return theme if theme in THEMES else ""


def keep_theme(answer: Response, theme: str) -> None:
    """Have the browser keep a theme; an unknown one is that of the system."""
    if theme in THEMES:
        answer.set_cookie(_THEME, theme, max_age=_THEME_SECONDS, httponly=True, samesite="strict")
    else:
        answer.delete_cookie(_THEME, httponly=True, samesite="strict")


def _name_sign_in(request: Request, *, secure: bool) -> str:
    """The name of the cookie. A browser sends cookies to all ports of a host: two services differ.

    The prefix binds it to this host (RFC 6265bis, section 4.1.3.2).
    """
    # The default port has no number, whichever the scheme: a proxy may have changed it.
    port = request.url.port or "web"
    return f"__Host-memferry_{port}" if secure else f"memferry_{port}"


def _is_secure(request: Request) -> bool:
    """Whether the browser speaks TLS, to us or to a proxy before us."""
    origin = request.headers.get("origin", "")
    return request.url.scheme == "https" or origin.startswith("https://")
