"""The tools of what groups memories: namespaces and threads."""

from itertools import islice
from typing import Annotated

from memferry.client import AsyncClient
from memferry.client.calls import Call, make_path
from memferry.mcp.answers import add_cursor, show_memories, show_time
from memferry.mcp.memory_tools import check_limit, check_offset
from memferry.mcp.tool import Tool
from memferry.wire.memories import Thread, ThreadSummary
from memferry.wire.schema import Json, describe

_TITLE_CHARACTERS = 200
_Limit = Annotated[int, describe("how many at most", minimum=1, maximum=50)]
_Offset = Annotated[int, describe("how many to pass over", minimum=0)]


class ListNamespaces(Tool, frozen=True, kw_only=True):
    """List the namespaces that hold memories, the one that changed last first, with their counts.

    Look here before you choose a namespace to save to or to filter by.
    """

    name, title, reads = "list_namespaces", "List namespaces", True

    limit: _Limit = 50
    offset: _Offset = 0

    async def run(self, client: AsyncClient) -> Json:
        """List them."""
        start, end = check_offset(self.offset), self.offset + check_limit(self.limit)
        names = [name async for name in client.namespaces.list(limit=end + 1)]
        shown = [
            {"name": name.name, "memories": name.count, "updated_at": show_time(name.last_updated)}
            for name in islice(names, start, end)
        ]
        return _add_offset({"namespaces": shown}, end, more=len(names) > end)


class ListThreads(Tool, frozen=True, kw_only=True):
    """List conversations and documents, the one with the latest memory first.

    A memory that belongs to none is a thread of one. read_thread shows what is in it.
    """

    name, title, reads = "list_threads", "List threads", True

    namespace: Annotated[str | None, describe("only threads of this namespace")] = None
    limit: _Limit = 20
    offset: _Offset = 0

    async def run(self, client: AsyncClient) -> Json:
        """List one page."""
        limit, offset = check_limit(self.limit), check_offset(self.offset)
        params = {"limit": str(limit + 1), "offset": str(offset)}
        if self.namespace is not None:
            params["namespace"] = self.namespace
        call = Call("GET", make_path("threads"), params=params)
        threads = await client.call(call, list[ThreadSummary])
        shown = [_show_thread(thread) for thread in threads[:limit]]
        return _add_offset({"threads": shown}, offset + limit, more=len(threads) > limit)


class ReadThread(Tool, frozen=True, kw_only=True):
    """Read a conversation or a document: its memories in their order, page by page."""

    name, title, reads = "read_thread", "Read a thread", True

    ref: Annotated[str, describe("the ref that list_threads shows, or a memory's source_ref")]
    limit: _Limit = 20
    cursor: Annotated[str | None, describe("next_cursor of the page before")] = None

    async def run(self, client: AsyncClient) -> Json:
        """Read one page."""
        params = {"limit": str(check_limit(self.limit))}
        if self.cursor is not None:
            params["cursor"] = self.cursor
        call = Call("GET", make_path("threads", self.ref), params=params)
        thread = await client.call(call, Thread)
        answer = {"ref": thread.parent_ref, "memories": show_memories(thread.chunks)}
        return add_cursor(answer, thread.next_cursor)


def _show_thread(thread: ThreadSummary) -> Json:
    return {
        "ref": thread.parent_ref,
        "title": thread.title[:_TITLE_CHARACTERS],
        "namespace": thread.namespace,
        "memories": thread.count,
        "last_at": show_time(thread.last_at),
    }


def _add_offset(answer: Json, offset: int, *, more: bool) -> Json:
    return {**answer, "next_offset": offset} if more else answer
