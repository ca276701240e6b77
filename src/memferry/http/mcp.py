"""The address of the Model Context Protocol: each request is one message, and one answer."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from memferry.errors import RouteNotFound
from memferry.http.auth import MCP_PATH, Access
from memferry.http.bodies import read_body

MESSAGE_BYTES = 4 * 1024 * 1024
# What a message makes the service do needs scopes, each by itself.
_ANY_TOKEN = Access(())


def mcp_route(app: ASGIApp | None) -> Route:
    """The route of an application that answers messages; None: it is not installed here."""

    async def answer_message(request: Request) -> Response:
        _ANY_TOKEN.admit(request)
        if app is None:
            raise RouteNotFound(
                "not found: this service has no MCP; its operator adds it: "
                "pip install 'memferry[mcp]'"
            )
        return ForwardedMessage(app, await read_body(request, MESSAGE_BYTES))

    return Route(MCP_PATH, answer_message, methods=["POST"])


class ForwardedMessage(Response):
    """The answer of another application to a body that was read already, within its limit."""

    def __init__(self, app: ASGIApp, message: bytes) -> None:
        super().__init__()
        self._app = app
        self._message: bytes | None = message

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application answer."""

        async def replay() -> Message:
            if self._message is None:
                return await receive()
            message, self._message = self._message, None
            return {"type": "http.request", "body": message, "more_body": False}

        await self._app(scope, replay, send)
