"""MCP over HTTP: each message of a client is answered by itself, as the caller of its request."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from starlette.types import Receive, Scope, Send

from memferry.client import AsyncClient
from memferry.http.mcp import MESSAGE_BYTES
from memferry.mcp.in_process import InProcessTransport

if TYPE_CHECKING:
    from mcp.server.lowlevel.server import Server


def find_endpoint() -> "McpEndpoint | None":
    """The endpoint; None if the SDK is not installed."""
    return None if find_spec("mcp") is None else McpEndpoint()


class McpEndpoint:
    """Answers messages; no session, no stream and no task of one request outlives it."""

    def __init__(self) -> None:
        self._server: Server[Any] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one message with JSON."""
        if self._server is None:
            # The SDK takes a second to load, for which other requests are not to wait.
            self._server = await asyncio.to_thread(_build_server)
        from mcp.server.streamable_http_manager import (  # noqa: PLC0415 - see above
            StreamableHTTPSessionManager,
        )

        manager = StreamableHTTPSessionManager(
            self._server, json_response=True, stateless=True, max_request_body_size=MESSAGE_BYTES
        )
        async with manager.run():
            await manager.handle_request(scope, receive, send)


def _build_server() -> "Server[Any]":
    from memferry.mcp.server import MemferryServer  # noqa: PLC0415 - loads the SDK

    return MemferryServer(_open_client).build()


@asynccontextmanager
async def _open_client(context: Any) -> AsyncIterator[AsyncClient]:
    """Open a client that speaks for the caller of a request; what is busy is not waited for."""
    request = context.request
    url = f"{request.url.scheme}://{request.url.netloc}"
    transport = InProcessTransport(request)
    async with AsyncClient(url, retry_seconds=0, transport=transport) as client:
        yield client
