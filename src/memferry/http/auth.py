"""Who is calling: asked before the router looks at the address, so a 401 comes before any 404."""

from starlette.types import ASGIApp, Receive, Scope, Send

from memferry.errors import MemferryError, MissingToken
from memferry.http.errors import ErrorAnswer
from memferry.tenants.tokens import Tokens

_PROTECTED = ("/api/", "/v1/")
_OPEN = frozenset({"/api/health"})


class Authentication:
    """Puts the caller into the scope of every request below /api and /v1."""

    def __init__(self, app: ASGIApp, tokens: Tokens) -> None:
        self._app = app
        self._tokens = tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 401."""
        if scope["type"] == "http" and _is_protected(scope["path"]):
            try:
                scope["memferry.caller"] = await self._tokens.caller(_bearer(scope))
            except MemferryError as fault:
                await ErrorAnswer(fault)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _is_protected(path: str) -> bool:
    return path.startswith(_PROTECTED) and path not in _OPEN


def _bearer(scope: Scope) -> str:
    """The token (RFC 6750, section 2.1); the scheme in any case (RFC 9110, section 11.1)."""
    for name, value in scope["headers"]:
        if name == b"authorization":
            scheme, _, token = value.decode("latin-1").partition(" ")
            if scheme.lower() == "bearer" and token.strip():
                return str(token.strip())
    raise MissingToken
