"""The tools of single memories: save, search, list, get, update, delete, and their history."""

from typing import Annotated, Any

from msgspec import UNSET, UnsetType

from memferry.client import AsyncClient
from memferry.client.calls import Call, make_path
from memferry.errors import Invalid
from memferry.mcp.answers import (
    PIECE_CHARACTERS,
    add_cursor,
    show_memories,
    show_memory,
    show_piece,
    show_time,
)
from memferry.mcp.tool import FilterTool, Metadata, Moment, Tool, read_time
from memferry.wire.history import Change, History
from memferry.wire.lists import MemoryPage
from memferry.wire.schema import Json, describe

MOST_ROWS = 50
_FORMER_CHARACTERS = 800
_SOURCE = "mcp"
_Id = Annotated[str, describe("the id of the memory, as other tools show it")]
_Limit = Annotated[int, describe("how many at most", minimum=1, maximum=MOST_ROWS)]
_Cursor = Annotated[str | None, describe("next_cursor of the page before, with equal filters")]
_Offset = Annotated[int, describe("next_offset of the piece before; 0 is the beginning", minimum=0)]


class SaveMemory(Tool, frozen=True, kw_only=True):
    """Save one thing worth remembering beyond this conversation, word for word.

    Save what the user asks you to remember, and lasting facts, preferences and decisions; one
    self-contained statement per memory. Saving the same text twice makes two memories, so search
    first, and update a memory that has changed.
    """

    name, title = "save_memory", "Save a memory"

    content: Annotated[str, describe("the text, up to 1 MiB, kept exactly as it is", minLength=1)]
    namespace: Annotated[
        str, describe("a group such as a project or a topic; list_namespaces shows those in use")
    ] = "default"
    tags: Annotated[list[str] | None, describe("short words to find it by")] = None
    source_ref: Annotated[
        str | None, describe("a thread that it belongs to: memories of equal source_ref")
    ] = None
    metadata: Annotated[Metadata | None, describe("any JSON object to keep with it")] = None
    expires_at: Annotated[
        Moment, describe("when to forget it, as ISO 8601; only if the user wants that")
    ] = None

    async def run(self, client: AsyncClient) -> Json:
        """Save it."""
        row = await client.memories.save(
            self.content,
            namespace=self.namespace,
            tags=self.tags,
            source=_SOURCE,
            source_ref=self.source_ref,
            metadata=self.metadata,
            expires_at=read_time("expires_at", self.expires_at),
        )
        return {"id": str(row.id), "namespace": row.namespace}


class SearchMemories(FilterTool, frozen=True, kw_only=True):
    """Find memories by the words in them, best first.

    A memory is found if it shares a word with the query, so use the words that it would hold, and
    synonyms. Search before you answer a question about the user, their projects or earlier work,
    and before you save. Long contents are cut; get_memory shows the whole.
    """

    name, title, reads = "search_memories", "Search memories", True

    query: Annotated[str, describe("plain words; operators have no meaning", minLength=1)]
    limit: _Limit = 10
    prefix: Annotated[bool, describe("find words that begin with those of the query")] = False

    async def run(self, client: AsyncClient) -> Json:
        """Search."""
        hits = await client.memories.search(
            self.query, k=check_limit(self.limit), prefix=self.prefix, **self.filters
        )
        return {"memories": show_memories(hits)}


class ListMemories(FilterTool, frozen=True, kw_only=True):
    """List memories by filters and time, without a query, page by page.

    Use it for "what is new", "everything tagged X", or to go through a namespace; use
    search_memories for what is about something.
    """

    name, title, reads = "list_memories", "List memories", True

    order: Annotated[
        str,
        describe(
            "by change or by creation", enum=["updated_desc", "updated_asc", "newest", "oldest"]
        ),
    ] = "updated_desc"
    limit: _Limit = 20
    cursor: _Cursor = None

    async def run(self, client: AsyncClient) -> Json:
        """List one page."""
        body = {**self.filters, "order": self.order, "limit": check_limit(self.limit)}
        if self.cursor is not None:
            body["cursor"] = self.cursor
        call = Call("POST", make_path("memories", "list"), body, reads=True)
        page = await client.call(call, MemoryPage)
        answer = {"memories": show_memories(page.memories), "total": page.total}
        return add_cursor(answer, page.next_cursor)


class GetMemory(Tool, frozen=True, kw_only=True):
    """Read one memory whole; a very long content comes in pieces."""

    name, title, reads = "get_memory", "Get a memory", True

    id: _Id
    offset: _Offset = 0

    async def run(self, client: AsyncClient) -> Json:
        """Look it up."""
        offset = check_offset(self.offset)
        row = await client.memories.get(self.id)
        memory = show_memory(row, PIECE_CHARACTERS)
        cut = [field for field in memory.pop("cut", []) if field != "content"]
        answer = {**memory, **show_piece(row.content, offset)}
        return {**answer, "cut": cut} if cut else answer


class UpdateMemory(Tool, frozen=True, kw_only=True):
    """Change a memory that is no longer right; what is not given stays as it is.

    The state before stays in its history. Prefer this to saving a second, contradicting memory.
    """

    name, title, destroys = "update_memory", "Update a memory", True

    id: _Id
    content: Annotated[str | UnsetType, describe("the new text, in place of the old")] = UNSET
    namespace: Annotated[str | UnsetType, describe("moves it to this namespace")] = UNSET
    tags: Annotated[list[str] | UnsetType, describe("replace all its tags")] = UNSET
    metadata: Annotated[
        Metadata | UnsetType, describe("keys to set; a key that is null is removed, others stay")
    ] = UNSET
    expires_at: Annotated[
        str | UnsetType | None, describe("when to forget it, as ISO 8601; null: never")
    ] = UNSET

    async def run(self, client: AsyncClient) -> Json:
        """Change it."""
        expiry = self.expires_at
        row = await client.memories.update(
            self.id,
            content=self.content,
            namespace=self.namespace,
            tags=self.tags,
            metadata=self.metadata,
            expires_at=read_time("expires_at", expiry) if isinstance(expiry, str) else expiry,
        )
        (memory,) = show_memories([row])
        return memory


class DeleteMemory(Tool, frozen=True, kw_only=True):
    """Delete one memory for good, with its history. Do it only when the user asks for it."""

    name, title, destroys = "delete_memory", "Delete a memory", True

    id: _Id
    purge_exports: Annotated[
        bool, describe("also remove stored exports that may hold it; other exports are unaffected")
    ] = False

    async def run(self, client: AsyncClient) -> Json:
        """Delete it."""
        await client.memories.delete(self.id, purge_exports=self.purge_exports)
        return {"deleted": self.id}


class GetHistory(Tool, frozen=True, kw_only=True):
    """Show how a memory has changed: each version, when it came, and the state before it."""

    name, title, reads = "get_history", "Get the history of a memory", True

    id: _Id
    limit: _Limit = 20
    cursor: _Cursor = None

    async def run(self, client: AsyncClient) -> Json:
        """List one page of changes, oldest first."""
        params = {"limit": str(check_limit(self.limit))}
        if self.cursor is not None:
            params["cursor"] = self.cursor
        call = Call("GET", make_path("memories", self.id, "history"), params=params)
        history = await client.call(call, History)
        answer: Json = {"changes": [_show_change(change) for change in history.history]}
        return add_cursor(answer, history.next_cursor)


def check_limit(limit: int) -> int:
    """Check how many rows a call asks for; raises Invalid."""
    if not 1 <= limit <= MOST_ROWS:
        raise Invalid("limit", f"expected 1 to {MOST_ROWS}; page with cursor or offset")
    return limit


def check_offset(offset: int) -> int:
    """Check where a piece begins; raises Invalid."""
    if offset < 0:
        raise Invalid("offset", "must not be negative")
    return offset


def _show_change(change: Change) -> Json:
    shown: dict[str, Any] = {
        "version": change.version,
        "at": show_time(change.at),
        "kind": change.kind,
    }
    if change.former is not None:
        content = show_piece(change.former.content[:_FORMER_CHARACTERS], 0)
        shown["before"] = {**content, "namespace": change.former.namespace}
        if len(change.former.content) > _FORMER_CHARACTERS:
            shown["cut"] = ["before"]
    return shown
