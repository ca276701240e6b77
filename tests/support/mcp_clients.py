"""Real clients of the Model Context Protocol: over HTTP, and over stdio to a process of ours."""

import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import TextContent

from support.people import Person

MODES = ("legacy", "auto")
"""The protocol with a handshake, which most programs speak, and the newest one."""


@asynccontextmanager
async def connect_by_http(person: Person, mode: str = "legacy") -> AsyncIterator[Client]:
    """A client at /mcp with the person's token."""
    headers = {"Authorization": f"Bearer {person.token}"}
    async with httpx2.AsyncClient(headers=headers, timeout=60) as network:
        transport = streamable_http_client(f"{person.base_url}/mcp", http_client=network)
        async with Client(transport, mode=mode) as client:
            yield client


@asynccontextmanager
async def connect_by_stdio(person: Person, mode: str = "legacy") -> AsyncIterator[Client]:
    """A client that has started `memferry mcp` with the person's token."""
    known = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    settings = {"MEMFERRY_URL": str(person.base_url), "MEMFERRY_TOKEN": person.token}
    command = StdioServerParameters(
        command=sys.executable, args=["-m", "memferry", "mcp"], env={**known, **settings}
    )
    async with Client(stdio_client(command), mode=mode) as client:
        yield client


async def call(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """The answer of a tool that did its work."""
    failed, text = await try_call(client, tool, **arguments)
    assert not failed, text
    answer: dict[str, Any] = json.loads(text)
    return answer


async def try_call(client: Client, tool: str, **arguments: Any) -> tuple[bool, str]:
    """Whether a tool has failed, and the text that a model reads."""
    result = await client.call_tool(tool, arguments)
    (content,) = result.content
    assert isinstance(content, TextContent)
    return result.is_error, content.text
