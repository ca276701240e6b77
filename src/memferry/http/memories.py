"""The memory endpoints, and the two addresses older clients use for bulk save and recall."""

from collections.abc import Mapping
from typing import Any

import msgspec
from fastapi import APIRouter
from msgspec import Raw
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response

from memferry.erasure.memories import MemoryErasure
from memferry.errors import Invalid, MemoryNotFound, TooLarge
from memferry.filters import LIST_FILTERS, Filter, Selection
from memferry.http import shapes
from memferry.http.docs import add_route, filter_fields, query_field
from memferry.http.requests import (
    caller,
    flag,
    number,
    read_body,
    read_query,
    time_or_none,
    uuid_or,
)
from memferry.http.views import json_answer, raw_answer, rows
from memferry.memories.service import Memories, Times
from memferry.model import json, rules
from memferry.model.memory import BulkSave, BulkSearch, Change, Checked, MovedMemory, NewMemory
from memferry.model.token import Scope

# JSON may spell one byte of text with six (\u0041); content and metadata together stay below this.
_BODY_BYTES = 16 * 1024 * 1024
_BULK_BYTES = 128 * 1024 * 1024
_BULK_ROWS = 10_000
_QUERIES = 25
_SEARCH_BODY_BYTES = 1024 * 1024

_LIST_QUERY = [
    query_field("q", "string", "plain text; any shared word finds a memory"),
    query_field("limit", "integer", "50 unless given, held within 1 to 500"),
    query_field("offset", "integer", "0 unless given, held within 0 to 100,000"),
    *filter_fields(),
]
_DELETE_QUERY = [
    query_field("purge_exports", "boolean", "also remove the stored exports that may hold it")
]
_RECALL_QUERY = [
    query_field("q", "string", "plain text"),
    query_field("namespace", "string", "only this namespace"),
    query_field("limit", "integer", "10 unless given, held within 1 to 500"),
]
_READ: tuple[Scope, ...] = ("memories:read",)
_WRITE: tuple[Scope, ...] = ("memories:write",)
_new_memory = msgspec.json.Decoder(NewMemory)
_moved_memory = msgspec.json.Decoder(MovedMemory)
_change = msgspec.json.Decoder(Change)
_bulk_save = msgspec.json.Decoder(BulkSave)
_bulk_search = msgspec.json.Decoder(BulkSearch)


class _AnyText(Convertor[str]):
    """The rest of a path, whatever it is: starlette's own `path` ends at a line break."""

    regex = r"[\s\S]*"

    def convert(self, value: str) -> str:
        """The text as it came."""
        return value

    def to_string(self, value: str) -> str:
        """The text as it is."""
        return value


register_url_convertor("any_text", _AnyText())


class MemoryEndpoints:
    """Everything below /api that saves, finds or changes memories."""

    def __init__(self, memories: Memories, erasure: MemoryErasure) -> None:
        self._memories = memories
        self._erasure = erasure

    def router(self) -> APIRouter:
        """All addresses of memories."""
        router = APIRouter(tags=["memories"])
        add_route(
            router, "POST /api/memories", self.save_memory, 201, shapes.MemoryRow, 400, 413,
            body=shapes.NewMemory, scopes=_WRITE,
        )  # fmt: skip
        add_route(
            router, "GET /api/memories", self.list_memories, 200, list[shapes.ListedMemory], 400,
            parameters=_LIST_QUERY, scopes=_READ,
        )  # fmt: skip
        add_route(
            router, "POST /api/memories/search/bulk", self.search_bulk, 200, shapes.BulkFound, 400,
            body=shapes.BulkSearch, scopes=_READ,
        )  # fmt: skip
        one = "/api/memories/{memory_id}"
        add_route(router, f"GET {one}", self.get_memory, 200, shapes.MemoryRow, 404, scopes=_READ)
        add_route(
            router, f"PATCH {one}", self.change_memory, 200, shapes.MemoryRow, 400, 404, 413,
            body=shapes.Change, scopes=_WRITE,
        )  # fmt: skip
        add_route(
            router, f"DELETE {one}", self.delete_memory, 204, None, 400, 404,
            parameters=_DELETE_QUERY, scopes=_WRITE,
        )  # fmt: skip
        add_route(
            router, "POST /v1/memories/bulk", self.save_bulk, 200, shapes.BulkSaved, 400, 413,
            body=shapes.BulkSave, scopes=_WRITE,
        )  # fmt: skip
        add_route(
            router, "GET /api/recall/unified", self.recall, 200, shapes.Recalled, 400,
            parameters=_RECALL_QUERY, scopes=_READ,
        )  # fmt: skip
        add_route(
            router, "GET /api/threads/{reference:any_text}", self.get_thread, 200, shapes.Thread,
            scopes=_READ,
        )  # fmt: skip
        add_route(
            router, "GET /api/namespaces", self.list_namespaces, 200, list[shapes.Namespace],
            scopes=_READ,
        )  # fmt: skip
        return router

    async def save_memory(self, request: Request) -> Response:
        """Save one memory. It is stored byte for byte; saving it twice makes two."""
        new = json.decode(_new_memory, await read_body(request, _BODY_BYTES)).checked()
        return raw_answer((await self._memories.save(caller(request), new)).encode(), 201)

    async def list_memories(self, request: Request) -> Response:
        """List memories, newest first; with `q`, search them, best first. All filters must hold."""
        query = read_query(request)
        limit = number(query.get("limit"), 50, least=1, most=500)
        offset = number(query.get("offset"), 0, least=0, most=100_000)
        selection, asking = _selection(query), caller(request)
        if q := query.get("q"):
            words = rules.text("q", q, most=rules.QUERY_CHARACTERS)
            found = await self._memories.search(
                asking, words, selection, limit=limit, offset=offset
            )
        else:
            found = await self._memories.newest(asking, selection, limit=limit, offset=offset)
        return json_answer(rows(found))

    async def search_bulk(self, request: Request) -> Response:
        """Up to 25 searches in one request; answers come in the same order."""
        body = json.decode(_bulk_search, await read_body(request, _SEARCH_BODY_BYTES))
        if not 1 <= len(body.queries) <= _QUERIES:
            raise Invalid("queries", f"expected 1 to {_QUERIES} queries")
        for index, each in enumerate(body.queries):
            rules.text(f"queries[{index}]", each, most=rules.QUERY_CHARACTERS)
        limit = min(max(body.k, 1), 50)
        selection = _bulk_selection(body)
        results = [
            {
                "query": each,
                "hits": rows(
                    await self._memories.search(caller(request), each, selection, limit=limit)
                ),
            }
            for each in body.queries
        ]
        return json_answer({"results": results})

    async def get_memory(self, request: Request, memory_id: str) -> Response:
        """One memory."""
        found = await self._memories.get(caller(request), uuid_or(memory_id, MemoryNotFound()))
        return raw_answer(found.encode())

    async def change_memory(self, request: Request, memory_id: str) -> Response:
        """Change what is given. Metadata is merged at its top level; null removes a key."""
        change = json.decode(_change, await read_body(request, _BODY_BYTES) or b"{}")
        changed = await self._memories.change(
            caller(request), uuid_or(memory_id, MemoryNotFound()), change
        )
        return raw_answer(changed.encode())

    async def delete_memory(self, request: Request, memory_id: str) -> Response:
        """Delete one memory, and with `purge_exports=true` the stored exports that may hold it.

        `Memferry-Purged-Exports` then tells how many lost their bytes; they are `expired` and have
        `purged_at`. Exports that are being written start again without the memory.
        """
        purge = flag(read_query(request), "purge_exports")
        purged = await self._erasure.delete(
            caller(request), uuid_or(memory_id, MemoryNotFound()), purge=purge
        )
        headers = {} if purged is None else {"Memferry-Purged-Exports": str(purged)}
        return Response(status_code=204, headers=headers)

    async def save_bulk(self, request: Request) -> Response:
        """Save up to 10,000 rows; rows that break a rule are counted and named, not saved."""
        body = json.decode(_bulk_save, await read_body(request, _BULK_BYTES))
        items, faults = _checked_items(body.items)
        saved = await self._memories.save_many(caller(request), items) if items else 0
        return json_answer({"saved": saved, "errors": len(faults), "failures": faults})

    async def recall(self, request: Request) -> Response:
        """What the published MCP server asks for: the best memories for a query."""
        query = read_query(request)
        limit = number(query.get("limit"), 10, least=1, most=500)
        q = rules.text("q", query.get("q", ""), most=rules.QUERY_CHARACTERS)
        found = await self._memories.search(caller(request), q, _selection(query), limit=limit)
        return json_answer({"memories": rows(found), "procedurals": [], "query": q})

    async def get_thread(self, request: Request, reference: str) -> Response:
        """The pieces of one conversation or document, in order."""
        # No row holds NUL, and PostgreSQL could not even be asked.
        found = (
            [] if "\x00" in reference else await self._memories.thread(caller(request), reference)
        )
        return json_answer({"parent_ref": reference, "chunks": rows(found)})

    async def list_namespaces(self, request: Request) -> Response:
        """Every namespace with its number of memories, newest first."""
        return json_answer(await self._memories.namespaces(caller(request)))


def _selection(query: Mapping[str, str]) -> Selection:
    """The filters of a query string; empty ones count as not given, and so do junk times."""
    chosen: dict[type[Filter], object] = {}
    for each in LIST_FILTERS:
        given: Any = query.get(each.field) or None
        if each.type is int:
            given = time_or_none(given)
        elif each.type is Raw and given is not None:
            given = Raw(given.strip().encode())
        if given is not None:
            chosen[each] = each.check(given)
    return Selection.of({each: value for each, value in chosen.items() if value is not None})


def _bulk_selection(body: BulkSearch) -> Selection:
    chosen: dict[type[Filter], object] = {}
    for each in LIST_FILTERS:
        given = getattr(body, each.field, None)
        value = None if given is None else each.check(given)
        if value is not None:
            chosen[each] = value
    return Selection.of(chosen)


def _checked_items(
    items: list[Raw],
) -> tuple[list[tuple[Checked, Times]], list[dict[str, object]]]:
    """The rows to save, and what is wrong with the others; raises when nothing could be saved."""
    if len(items) > _BULK_ROWS:
        raise Invalid("items", f"more than {_BULK_ROWS} rows in one request")
    good: list[tuple[Checked, Times]] = []
    faults: list[tuple[int, Invalid | TooLarge]] = []
    for index, each in enumerate(items):
        try:
            good.append(_checked_item(each))
        except (Invalid, TooLarge) as fault:
            faults.append((index, fault))
    if faults and not good:
        index, first = faults[0]
        raise Invalid(f"items[{index}].{first.field}", str(first).partition(": ")[2])
    return good, [
        {"index": index, "field": each.field, "error": str(each)} for index, each in faults
    ]


def _checked_item(text: Raw) -> tuple[Checked, Times]:
    item = json.decode(_moved_memory, bytes(text))
    for field in ("created_at", "updated_at"):
        if (given := getattr(item, field)) is not None:
            rules.time_ms(field, given)
    return item.checked(), (item.created_at, item.updated_at)
