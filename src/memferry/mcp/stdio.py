"""MCP over standard input and output, for a program that starts `memferry mcp`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from mcp.server.stdio import stdio_server

from memferry.client import AsyncClient
from memferry.mcp.server import MemferryServer

_RETRY_SECONDS = 10.0
"""A person waits for the model, which waits for the answer."""


async def serve_stdio(url: str, token: str | None) -> None:
    """Answer one program as the tenant of a token, until its standard output ends."""
    async with AsyncClient(url, token, retry_seconds=_RETRY_SECONDS) as client:

        @asynccontextmanager
        async def lend_client(_context: Any) -> AsyncIterator[AsyncClient]:
            yield client

        server = MemferryServer(lend_client).build()
        async with stdio_server() as (incoming, outgoing):
            await server.run(incoming, outgoing, server.create_initialization_options())
