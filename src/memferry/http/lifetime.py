"""The lifetime of a request: until its client hangs up, and no longer than a limit."""

import asyncio
from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from memferry.errors import RequestTimedOut
from memferry.http.connections import TASK
from memferry.http.errors import ErrorAnswer

_BODY = (b"content-length", b"transfer-encoding")
# A download has a limit of its own; health must be told also where all else is slow.
_UNLIMITED = ("/downloads/", "/health", "/api/health")


class Lifetime:
    """Cancels a request whose client is gone or whose time is over, but for downloads and health.

    The connection cancels the task of a request whose client has hung up, and with it the statement
    that PostgreSQL works on. The limit counts from when the body has come until the answer begins.
    """

    def __init__(self, app: ASGIApp, seconds: float, longer: Mapping[str, float]) -> None:
        """`longer` holds the paths with a longer limit."""
        self._app = app
        self._seconds = seconds
        self._longer = longer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or scope["path"].startswith(_UNLIMITED):
            await self._app(scope, receive, send)
            return
        scope[TASK] = task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a request without a task")
        request = _Request(receive, send, self._longer.get(scope["path"], self._seconds))
        try:
            async with request.limit:
                if not any(name in _BODY for name, _ in scope["headers"]):
                    request.start_clock()
                await self._app(scope, request.receive, request.send)
        except TimeoutError:
            if request.answered or not request.limit.expired():
                raise
            await ErrorAnswer(RequestTimedOut())(scope, receive, send)
        except asyncio.CancelledError:
            if TASK in scope:
                raise  # the service stops
            task.uncancel()


class _Request:
    """The clock of one request, which its messages start and stop."""

    def __init__(self, receive: Receive, send: Send, seconds: float) -> None:
        self._receive = receive
        self._send = send
        self._seconds = seconds
        self.limit = asyncio.timeout(None)
        self.answered = False

    def start_clock(self) -> None:
        """Count from now on."""
        self.limit.reschedule(asyncio.get_running_loop().time() + self._seconds)

    async def receive(self) -> Message:
        """Pass a message of the client on; the last one starts the clock."""
        message = await self._receive()
        if not message.get("more_body") and not self.answered:
            self.start_clock()
        return message

    async def send(self, message: Message) -> None:
        """Send a message; the first one stops the clock: slow readers have their own limit."""
        if not self.answered:
            self.answered = True
            self.limit.reschedule(None)
        await self._send(message)
