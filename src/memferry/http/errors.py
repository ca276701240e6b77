"""The one table from errors to answers."""

import asyncio
import math
from contextlib import suppress

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from memferry.errors import (
    Conflict,
    Denied,
    ExportTooLarge,
    Forbidden,
    HeadTooLarge,
    IdempotencyKeyReused,
    Invalid,
    LimitReached,
    MemferryError,
    MethodNotAllowed,
    NotFound,
    PreconditionFailed,
    RangeNotSatisfiable,
    RouteNotFound,
    TooLarge,
    Unavailable,
)
from memferry.telemetry import log_event
from memferry.wire.errors import Error

STATUS: dict[type[MemferryError], int] = {
    Invalid: 400,
    Denied: 401,
    Forbidden: 403,
    NotFound: 404,
    MethodNotAllowed: 405,
    Conflict: 409,
    PreconditionFailed: 412,
    TooLarge: 413,
    RangeNotSatisfiable: 416,
    IdempotencyKeyReused: 422,
    ExportTooLarge: 422,
    HeadTooLarge: 431,
    LimitReached: 429,
    Unavailable: 503,
    MemferryError: 500,
}

FAULT = "memferry.fault"
"""Where a request keeps the error that it was answered with."""
SHOW_FAULT = "memferry.show_fault"
"""Where a request keeps how an error is shown to a person; missing: a program is to read it."""
_DRAIN_BYTES = 64 * 1024 * 1024
_DRAIN_SECONDS = 5
_CAUSE_CHARACTERS = 200
# HEAD is where GET is (memferry.http.head).
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def find_status(error: type[MemferryError]) -> int:
    """The status of an error class: its own, or that of the nearest class above it."""
    return next(STATUS[class_] for class_ in error.__mro__ if class_ in STATUS)


def is_server_fault(fault: MemferryError) -> bool:
    """Whether an error is the service's, and not one of the request (RFC 9110, section 15.6)."""
    return find_status(type(fault)) >= 500  # noqa: PLR2004 - the first of these statuses


def describe_fault(fault: MemferryError) -> str:
    """What a caller is told: of a fault of our own nothing, which is for the log."""
    is_inside = is_server_fault(fault) and not isinstance(fault, Unavailable)
    return "internal error" if is_inside else str(fault)


class ErrorAnswer(Response):
    """`{"error", "code"}`, with the field that broke a rule or the scope that is missing."""

    media_type = "application/json"

    def __init__(self, fault: MemferryError) -> None:
        status = find_status(type(fault))
        named = {name: getattr(fault, name, None) for name in ("field", "scope")}
        body = Error(error=describe_fault(fault), code=fault.code, **named)
        super().__init__(msgspec.json.encode(body), status, make_headers(fault))
        self._fault = fault

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the error: as JSON, or as a screen with the same status."""
        if SHOW_FAULT not in scope:
            await super().__call__(scope, receive, send)
            return
        screen = await scope[SHOW_FAULT](Request(scope, receive), self._fault)
        if "allow" in self.headers:
            screen.headers["allow"] = self.headers["allow"]
        await screen(scope, receive, send)


class RefusedBody(ErrorAnswer):
    """The answer to a body that is too large, sent while the body is arriving.

    What comes after is read and thrown away for a moment: closing at once would reset the
    connection, and the client might never see the answer (RFC 9112, section 9.6).
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI
        """Send the answer, then read the rest of the body."""
        self.headers["connection"] = "close"
        await send(
            {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        )
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        with suppress(TimeoutError):
            await asyncio.wait_for(_drain(receive), _DRAIN_SECONDS)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _drain(receive: Receive) -> None:
    drained = 0
    while drained < _DRAIN_BYTES:
        message = await receive()
        drained += len(message.get("body", b""))
        if message["type"] == "http.disconnect" or not message.get("more_body"):
            return


def make_headers(fault: MemferryError) -> dict[str, str]:
    """The headers that go with an error: when to try again, what to send."""
    if isinstance(fault, Denied):
        return {"WWW-Authenticate": "Bearer"}
    if isinstance(fault, Unavailable):
        return {"Retry-After": "5"}
    if isinstance(fault, LimitReached):
        return {"Retry-After": str(max(1, math.ceil(fault.again_in_seconds)))}
    if isinstance(fault, Conflict) and fault.retryable:
        return {"Retry-After": "1"}
    if isinstance(fault, RangeNotSatisfiable):
        return {"Content-Range": f"bytes */{fault.size_bytes}"}
    return {}


async def answer_memferry_error(request: Request, fault: Exception) -> Response:
    """Answer with one of our own errors."""
    if not isinstance(fault, MemferryError):
        raise TypeError(type(fault))
    request.scope[FAULT] = fault
    if isinstance(fault, Unavailable):
        log_event("request.failed", fault=fault, cause=describe_cause(fault))
    return RefusedBody(fault) if isinstance(fault, TooLarge) else ErrorAnswer(fault)


def describe_cause(fault: MemferryError) -> str:
    """The driver's fault on one line: a stack trace would show our own lines alone."""
    cause = fault.__cause__
    if cause is None:
        return ""
    text = str(cause).partition("\n")[0][:_CAUSE_CHARACTERS]
    return f" ({type(cause).__name__}{text and ': '}{text})"


async def answer_http_exception(request: Request, fault: Exception) -> Response:
    """Answer with the router's error in the shape of ours."""
    if not isinstance(fault, HTTPException):
        raise TypeError(type(fault))
    if fault.status_code == 405:  # noqa: PLR2004 - RFC 9110, section 15.5.6
        answer: Response = ErrorAnswer(MethodNotAllowed())
        answer.headers["allow"] = ", ".join(_find_methods(request))
        return answer
    return ErrorAnswer(RouteNotFound())


def _find_methods(request: Request) -> list[str]:
    """Find the methods that the address takes, in all its routes (RFC 9110, section 10.2.1)."""
    routes = request.app.routes
    taken = []
    for method in _METHODS:
        scope = {**request.scope, "method": method}
        if any(route.matches(scope)[0] is Match.FULL for route in routes):
            taken.append(method)
    return [*taken, "HEAD"] if "GET" in taken else taken


async def answer_client_gone(_request: Request, _fault: Exception) -> Response:
    """Answer nobody: the client hung up, or broke HTTP, before its body was whole."""
    return Response(status_code=400)


async def answer_anything_else(_request: Request, _fault: Exception) -> Response:
    """Answer an unexpected fault without any detail; the server logs it."""
    return ErrorAnswer(MemferryError())
