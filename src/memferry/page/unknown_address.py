"""Addresses that nothing else has: browsers get a screen, programs the error of the API."""

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Scope

from memferry.errors import RouteNotFound
from memferry.http.auth import is_protected
from memferry.page.screens import Screen


class UnknownAddressRoute(Route):
    """The last route: it takes what a browser opens, outside of the API."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Take a GET of a browser for whatever address is left."""
        if scope["type"] != "http" or is_protected(scope["path"]):
            return Match.NONE, {}
        if "text/html" not in Headers(scope=scope).get("accept", ""):
            return Match.NONE, {}
        match, values = super().matches(scope)
        # A form of another method must not be told that this address takes GET.
        return (match, values) if match is Match.FULL else (Match.NONE, {})


async def refuse_address(request: Request, address: str) -> Response:
    """Raise RouteNotFound, which becomes a screen."""
    del request, address
    raise RouteNotFound


UNKNOWN_ADDRESS = Screen("GET /{address:path}", refuse_address, access=None)
