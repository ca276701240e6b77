"""Screens: addresses for people; each finds its reader, checks scopes, and shows errors."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from memferry.errors import MemferryError, Unavailable, UnknownSignIn
from memferry.http.app import Services
from memferry.http.auth import AUTHENTICATED, HELD, Access, find_client_address
from memferry.http.errors import (
    FAULT,
    describe_cause,
    describe_fault,
    find_status,
    is_server_fault,
    make_headers,
)
from memferry.http.local import find_local_caller
from memferry.http.parameters import Parameter
from memferry.http.reading import accept_query
from memferry.http.routing import PATTERN
from memferry.model.token import Caller
from memferry.page.cookies import drop_sign_in, read_sign_in
from memferry.page.forms import check_origin
from memferry.page.policy import SCREEN_HEADERS
from memferry.page.templates import Templates, find_back, find_here
from memferry.telemetry import log_event

ANYBODY = Access(())
"""Whoever is signed in, whatever the scopes."""
_PART = "part"
"""The query field by which scripts ask for one part of a screen."""


@dataclass(frozen=True)
class Screen:
    """One address of the page with its method, and who may see it; without `access` everybody."""

    address: str
    """`METHOD /path`, where the path may name values."""
    endpoint: Callable[..., Awaitable[Response]]
    """Takes the request, and the values of the path by their names."""
    access: Access | None = ANYBODY
    parameters: tuple[Parameter, ...] = ()
    """The fields of its query string, beside `part`."""

    @property
    def method(self) -> str:
        """GET or POST."""
        return self.address.partition(" ")[0]

    @property
    def path(self) -> str:
        """The pattern of its address."""
        return self.address.partition(" ")[2]


class ScreenRoutes:
    """Makes the routes of screens."""

    def __init__(self, services: Services, templates: Templates) -> None:
        self._services = services
        self._templates = templates

    def route(self, screen: Screen) -> Route:
        """Make the route of a screen."""
        return Route(screen.path, self._make_app(screen), methods=[screen.method])

    async def show_fault(self, request: Request, fault: MemferryError) -> Response:
        """Show an error of what is no screen: a download, an address that nothing has."""
        if AUTHENTICATED not in request.scope and not is_server_fault(fault):
            # Whoever is not signed in is shown the error all the same.
            with suppress(MemferryError):
                await self._find_reader(request)
        return self._draw_fault(request, fault)

    def _make_app(self, screen: Screen) -> ASGIApp:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            request = Request(scope, receive, send)
            try:
                answer = await self._answer_any(screen, request, send)
                await answer(scope, receive, send)
            finally:
                if HELD in scope:
                    scope[HELD].release()

        return _Endpoint(app)

    async def _answer_any(self, screen: Screen, request: Request, send: Send) -> Response:
        """Answer a request; an unexpected fault is shown without detail and logged."""
        try:
            return await self._answer(screen, request)
        except Exception:
            await self._draw_fault(request, MemferryError())(request.scope, request.receive, send)
            raise

    async def _answer(self, screen: Screen, request: Request) -> Response:
        """Answer a request; the one place where errors become screens."""
        request.scope[PATTERN] = screen.path
        try:
            if screen.method == "POST":
                check_origin(request)
            await self._admit(screen, request)
            if screen.access is not None:
                _accept_fields(screen, request)
            return await screen.endpoint(request, **request.path_params)
        except MemferryError as fault:
            request.scope[FAULT] = fault
            if isinstance(fault, Unavailable):
                log_event("request.failed", fault=fault, cause=describe_cause(fault))
            return self._draw_fault(request, fault)

    async def _admit(self, screen: Screen, request: Request) -> None:
        """Find the reader, and check that it may see the screen; raises UnknownSignIn and more."""
        try:
            caller = await self._find_reader(request)
        except UnknownSignIn:
            if screen.access is not None:
                raise
            return
        request.scope[HELD] = self._services.memory.reserve(caller.tenant_id)
        if screen.access is not None:
            screen.access.admit(request)

    async def _find_reader(self, request: Request) -> Caller:
        """Find the reader of a request, and count the request."""
        caller = await self._find_caller(request)
        self._services.rate.admit(caller.tenant_id)
        request.scope[AUTHENTICATED] = caller
        return caller

    async def _find_caller(self, request: Request) -> Caller:
        address = find_client_address(request.scope)
        if (secret := read_sign_in(request)) is not None:
            return await self._services.sign_ins.find_caller(secret, address)
        tenant_id = self._services.local_tenant
        local = None if tenant_id is None else find_local_caller(request.scope, tenant_id)
        if local is None:
            raise UnknownSignIn
        return local

    def _draw_fault(self, request: Request, fault: MemferryError) -> Response:
        if isinstance(fault, UnknownSignIn) and request.method == "GET" and not reads_part(request):
            return _ask_to_sign_in(request)
        status = find_status(type(fault))
        answer = self._templates.answer(
            request,
            "fault.html",
            status=status,
            text=describe_fault(fault),
            code=fault.code,
            status_code=status,
            back=find_back(request),
            export_id=getattr(fault, "export_id", None),
        )
        answer.headers.update(make_headers(fault))
        if isinstance(fault, UnknownSignIn):
            drop_sign_in(request, answer)
        return answer


class _Endpoint:
    """An application as the endpoint of a route; a function would be called with the request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)


def reads_part(request: Request) -> bool:
    """Whether a script asks for one part of a screen."""
    return _PART in request.query_params


def find_part(request: Request) -> str | None:
    """The part of a screen that a script asks for; None: all of it."""
    return request.query_params.get(_PART)


def redirect(address: str) -> Response:
    """Lead on to a screen by GET, as after each form (RFC 9110, section 15.4.4)."""
    return RedirectResponse(address, 303, SCREEN_HEADERS)


def _accept_fields(screen: Screen, request: Request) -> None:
    names = {parameter.name for parameter in screen.parameters}
    lists = {parameter.name for parameter in screen.parameters if parameter.repeated}
    accept_query(request, names | {_PART}, lists)


def _ask_to_sign_in(request: Request) -> Response:
    here = find_here(request)
    answer = redirect(f"/sign-in?next={quote(here, safe='')}" if here != "/" else "/sign-in")
    drop_sign_in(request, answer)
    return answer
