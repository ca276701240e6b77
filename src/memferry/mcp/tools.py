"""All tools, and the one way to call one: an answer as JSON text, or an error as words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from memferry.client import AsyncClient
from memferry.client.exact_json import encode_exact
from memferry.errors import Invalid, MemferryError
from memferry.mcp.advice import describe_fault
from memferry.mcp.group_tools import ListNamespaces, ListThreads, ReadThread
from memferry.mcp.memory_tools import (
    DeleteMemory,
    GetHistory,
    GetMemory,
    ListMemories,
    SaveMemory,
    SearchMemories,
    UpdateMemory,
)
from memferry.mcp.tool import Tool, read_arguments
from memferry.mcp.transfer_tools import ExportMemories, GetExport, GetImport, ImportMemories
from memferry.telemetry import log_event

TOOLS: Mapping[str, type[Tool]] = {
    tool.name: tool
    for tool in (
        SearchMemories, SaveMemory, ListMemories, GetMemory, UpdateMemory, DeleteMemory,
        GetHistory, ListNamespaces, ListThreads, ReadThread, ExportMemories, GetExport,
        ImportMemories, GetImport,
    )
}  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """What a call of a tool came to."""

    text: str
    failed: bool = False


async def call_tool(client: AsyncClient, name: str, arguments: Mapping[str, Any]) -> Outcome:
    """Call a tool as the tenant of the client; a failure is an outcome that a model can act on."""
    try:
        answer = await _find_tool(name, arguments).run(client)
    except MemferryError as fault:
        return Outcome(describe_fault(fault), failed=True)
    except Exception as fault:  # noqa: BLE001 - it is for the log: its words may quote a memory
        log_event("tool.crashed", raised=fault, tool=name)
        return Outcome(describe_fault(MemferryError()), failed=True)
    return Outcome(encode_exact(answer).decode())


def _find_tool(name: str, arguments: Mapping[str, Any]) -> Tool:
    if name not in TOOLS:
        raise Invalid("name", f"no tool has it; there are {', '.join(TOOLS)}")
    return read_arguments(TOOLS[name], arguments)
