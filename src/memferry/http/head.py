"""HEAD: the answer of GET without its body (RFC 9110, section 9.3.2)."""

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HEAD = "memferry.head"
# A file is not to be read for the sake of its headers: its endpoint answers HEAD itself.
_ANSWERS_ITSELF = "/downloads/"


class HeadAsGet:
    """Answers HEAD with the status and all headers of GET, Content-Length among them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass HEAD on as GET, and drop the body."""
        if (
            scope["type"] != "http"
            or scope["method"] != "HEAD"
            or scope["path"].startswith(_ANSWERS_ITSELF)
        ):
            await self._app(scope, receive, send)
        else:
            as_get = {**scope, "method": "GET", _HEAD: True}
            await self._app(as_get, receive, _keep_body_back(send))


def drops_body(request: Request) -> bool:
    """Whether the body of the answer is dropped, since the request was HEAD."""
    return _HEAD in request.scope


def _keep_body_back(send: Send) -> Send:
    async def send_headers(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return send_headers
