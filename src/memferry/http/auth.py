"""Authentication. It runs before the router, so a 401 comes before any 404."""

from dataclasses import dataclass
from uuid import UUID

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from memferry.errors import (
    Forbidden,
    MemferryError,
    MissingToken,
    NamespaceForbidden,
    ScopeMissing,
    UnknownToken,
)
from memferry.http.errors import ErrorAnswer
from memferry.http.local import find_local_caller
from memferry.model.token import Caller, normalize_ip_address
from memferry.model.token import Scope as TokenScope
from memferry.request_rate import RequestRate
from memferry.shares import Shares
from memferry.telemetry import log_event
from memferry.tenants.tokens import Tokens

_API = ("/api/", "/v1/")
MCP_PATH = "/mcp"
AUTHENTICATED, ALLOWED = "memferry.authenticated", "memferry.caller"
HELD = "memferry.held"
"""Where the scope of a request has the memory that it holds until it is answered."""
_HEADER = b"authorization"
_OPEN = frozenset({"/api/health", "/api/health/ready", "/api/keys"})


class Authentication:
    """Finds the caller of every request below /api, /v1 and at /mcp, and counts the request.

    An operation still has to say which scopes it needs (`Access`): else no caller reaches it.
    """

    def __init__(
        self,
        app: ASGIApp,
        tokens: Tokens,
        rate: RequestRate,
        memory: Shares,
        local_tenant: UUID | None = None,
    ) -> None:
        """`memory` is the shares of memory for requests, in bytes.

        `local_tenant` is whom programs on this machine speak for without a token.
        """
        self._app = app
        self._memory = memory
        self._local_tenant = local_tenant
        self._rate = rate
        self._tokens = tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 401 or 429."""
        if scope["type"] != "http" or not is_protected(scope["path"]):
            await self._app(scope, receive, send)
            return
        try:
            caller = self._find_local(scope) or await self._tokens.find_caller(
                _read_bearer(scope), find_client_address(scope)
            )
            self._rate.admit(caller.tenant_id)
        except MemferryError as fault:
            if isinstance(fault, UnknownToken):
                # It belongs to no tenant, so there is no audit to note it in.
                log_event("token.refused", address=find_client_address(scope))
            await ErrorAnswer(fault)(scope, receive, send)
            return
        scope[AUTHENTICATED], scope[HELD] = caller, self._memory.reserve(caller.tenant_id)
        try:
            await self._app(scope, receive, send)
        finally:
            scope[HELD].release()

    def _find_local(self, scope: Scope) -> Caller | None:
        """Find the local caller of a request without a token; a token must always be valid."""
        if self._local_tenant is None or any(name == _HEADER for name, _ in scope["headers"]):
            return None
        return find_local_caller(scope, self._local_tenant)


@dataclass(frozen=True)
class Access:
    """The scopes that an operation needs: all of them, or the alternative."""

    scopes: tuple[TokenScope, ...]
    alternative: TokenScope | None = None
    whole_tenant: bool = False
    """Whether it reaches beyond namespaces, so that a token limited to some is refused."""

    def admit(self, request: Request) -> None:
        """Check the caller of a request; raises ScopeMissing or NamespaceForbidden."""
        holder: Caller = request.scope[AUTHENTICATED]
        self.check(holder)
        request.scope[ALLOWED] = holder

    def check(self, holder: Caller) -> None:
        """Raise ScopeMissing or NamespaceForbidden unless a caller may come in."""
        if self.alternative is None or self.alternative not in holder.scopes:
            for scope in self.scopes:
                if scope not in holder.scopes:
                    raise ScopeMissing(scope)
        if self.whole_tenant and holder.namespaces is not None:
            raise NamespaceForbidden("token", "is limited to namespaces, and this reaches beyond")

    def allows(self, holder: Caller) -> bool:
        """Whether a caller may come in."""
        try:
            self.check(holder)
        except Forbidden:
            return False
        return True


def is_protected(path: str) -> bool:
    """Whether an address needs a token."""
    return is_api(path) and path not in _OPEN


def is_api(path: str) -> bool:
    """Whether an address is one of the API, which answers programs alone."""
    return path.startswith(_API) or path == MCP_PATH


def _read_bearer(scope: Scope) -> str:
    """Read the token (RFC 6750, section 2.1); the scheme in any case (RFC 9110, section 11.1)."""
    for name, value in scope["headers"]:
        if name == _HEADER:
            scheme, _, token = value.decode("latin-1").partition(" ")
            if scheme.lower() == "bearer" and token.strip():
                return str(token.strip())
    raise MissingToken


def find_client_address(scope: Scope) -> str | None:
    """The address of the client: of the connection, or as a proxy on this machine names it."""
    client = scope.get("client")
    return None if client is None else normalize_ip_address(client[0])
