"""Cross-origin requests: any origin, no cookies.

https://fetch.spec.whatwg.org/#http-cors-protocol
"""

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_PREFLIGHT = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE, OPTIONS",
    # A browser lets a page set User-Agent, and asks for it like for any header that is not plain.
    "Access-Control-Allow-Headers": (
        "Authorization, Content-Type, User-Agent, X-Mnueron-Client, Idempotency-Key, "
        "Range, If-Range"
    ),
    "Access-Control-Max-Age": "86400",
}
_EXPOSED = "Location, Link, Retry-After, Memferry-Purged-Exports"


class Cors:
    """Answers preflights below /api, and lets browsers read all other answers, also errors."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or not scope["path"].startswith("/api/"):
            await self._app(scope, receive, send)
        elif scope["method"] == "OPTIONS":
            await Response(status_code=204, headers=_PREFLIGHT)(scope, receive, send)
        else:
            await self._app(scope, receive, _let_all_read(send))


def _let_all_read(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["Access-Control-Allow-Origin"] = "*"
            headers["Access-Control-Expose-Headers"] = _EXPOSED
        await send(message)

    return send_with_headers
