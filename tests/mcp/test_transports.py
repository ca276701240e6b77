"""One set of tools, over both transports, to the SDK's own client."""

import pytest

from memferry.mcp.tools import TOOLS
from support.mcp_clients import MODES, call, connect_by_http, connect_by_stdio
from support.people import Person


@pytest.mark.parametrize("mode", MODES)
async def test_http_serves_every_tool(alice: Person, mode: str) -> None:
    async with connect_by_http(alice, mode) as client:
        tools = (await client.list_tools()).tools
        saved = await call(client, "save_memory", content="Likes tea.")
        found = await call(client, "search_memories", query="tea")

    assert [tool.name for tool in tools] == list(TOOLS)
    assert [memory["id"] for memory in found["memories"]] == [saved["id"]]


@pytest.mark.parametrize("mode", MODES)
async def test_stdio_serves_every_tool(alice: Person, mode: str) -> None:
    async with connect_by_stdio(alice, mode) as client:
        tools = (await client.list_tools()).tools
        saved = await call(client, "save_memory", content="Likes tea.")
        found = await call(client, "search_memories", query="tea")

    assert [tool.name for tool in tools] == list(TOOLS)
    assert [memory["id"] for memory in found["memories"]] == [saved["id"]]
