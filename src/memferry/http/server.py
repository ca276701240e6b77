"""The HTTP server: uvicorn, stopped by the supervisor, with a limit of connections."""

import asyncio
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from memferry.errors import HeadTooLarge, Invalid, MemferryError
from memferry.http.connections import HEAD_BYTES, HEADERS, IDLE_SECONDS, Connection, WaitsFor
from memferry.http.errors import ErrorAnswer

_GRACE_SECONDS = 10
_TICKS_A_SECOND = 10
# What the process opens beside connections: the pool, files of exports, the worker's pipe.
_OTHER_FILES = 256


class Server(uvicorn.Server):
    """Serves an application on a socket; the supervisor decides when it stops."""

    def __init__(self, app: ASGIApp, *, connections: int) -> None:
        """`connections` is the most connections that are open at once."""
        super().__init__(
            uvicorn.Config(
                HeadCheck(app),
                http=cast("Any", partial(Connection, on_made=self._make_room)),
                ws="none",
                lifespan="off",
                log_config=None,
                # Download links are secrets that stand in the path.
                access_log=False,
                server_header=False,
                h11_max_incomplete_event_size=HEAD_BYTES,
                timeout_keep_alive=IDLE_SECONDS,
                timeout_graceful_shutdown=_GRACE_SECONDS,
            )
        )
        self._most = count_affordable_connections(connections)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle no signals: the supervisor does."""
        yield

    async def ready(self, serving: "asyncio.Task[None]") -> None:
        """Wait until connections are accepted, or serving has failed."""
        while not self.started and not serving.done():  # noqa: ASYNC110 - uvicorn has no event
            await asyncio.sleep(0.01)

    async def on_tick(self, counter: int) -> bool:
        """Check every connection once a second."""
        if counter % _TICKS_A_SECOND == 0:
            now = asyncio.get_running_loop().time()
            for connection in self._connections():
                connection.look(now)
        return await super().on_tick(counter)

    def _connections(self) -> list[Connection]:
        return cast("list[Connection]", list(self.server_state.connections))

    def _make_room(self, newest: Connection) -> None:
        """Close one if there are too many: an idle one first, the newest if all are at work."""
        if len(self.server_state.connections) <= self._most:
            return
        ranked = [
            (_CLOSED_FIRST.index(stage), connection.since, connection)
            for connection in self._connections()
            if connection is not newest and (stage := connection.waits_for()) in _CLOSED_FIRST
        ]
        _, _, victim = min(ranked, key=lambda rank: rank[:2], default=(0, 0.0, newest))
        victim.transport.abort()


_CLOSED_FIRST = (WaitsFor.REQUEST, WaitsFor.HEAD, WaitsFor.READER)


def count_affordable_connections(wanted: int) -> int:
    """Count the connections that the limit of open files allows, `wanted` at most."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return wanted
    return max(1, min(wanted, files - _OTHER_FILES))


class HeadCheck:
    """Refuses a request with too large a head, or with two lengths of its body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "http" and (fault := _find_fault(scope)) is not None:
            answer = ErrorAnswer(fault)
            answer.headers["connection"] = "close"
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _find_fault(scope: Scope) -> MemferryError | None:
    headers = scope["headers"]
    size = len(scope["raw_path"]) + len(scope["query_string"])
    if size + sum(len(name) + len(value) for name, value in headers) > HEAD_BYTES:
        return HeadTooLarge(HEAD_BYTES, HEADERS)
    if len(headers) > HEADERS:
        return HeadTooLarge(HEAD_BYTES, HEADERS)
    # A proxy before us may have believed the other one (RFC 9112, section 6.1).
    if {b"content-length", b"transfer-encoding"} <= {name for name, _ in headers}:
        return Invalid("Content-Length", "goes without Transfer-Encoding")
    return None
