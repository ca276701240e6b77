"""Errors as screens: a browser that opens an address outside of the API gets no JSON."""

from collections.abc import Awaitable, Callable

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from memferry.errors import MemferryError
from memferry.http.auth import is_api
from memferry.http.errors import SHOW_FAULT

ShowFault = Callable[[Request, MemferryError], Awaitable[Response]]
"""Makes the screen of an error."""


class FaultScreens:
    """Has every error of what a browser opens answered with a screen, whichever part answers it."""

    def __init__(self, app: ASGIApp, show_fault: ShowFault) -> None:
        self._app = app
        self._show_fault = show_fault

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, with the way to show an error if a person is to read it."""
        if scope["type"] == "http" and _is_opened_by_browser(scope):
            scope[SHOW_FAULT] = self._show_fault
        await self._app(scope, receive, send)


def _is_opened_by_browser(scope: Scope) -> bool:
    if scope["method"] not in {"GET", "HEAD"} or is_api(scope["path"]):
        return False
    return "text/html" in Headers(scope=scope).get("accept", "")
