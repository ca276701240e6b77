"""The memory endpoints, and the two addresses older clients use for bulk save and recall."""

from collections import Counter
from decimal import Decimal
from itertools import chain, count, repeat
from typing import Any
from uuid import UUID

import msgspec
from fastapi import APIRouter
from msgspec import Raw
from starlette.requests import Request
from starlette.responses import Response

from memferry.erasure.memories import MemoryErasure
from memferry.errors import Invalid, MemoryNotFound
from memferry.filters import LIST_FILTERS, Filter, Selection
from memferry.http import shapes
from memferry.http.answers import answer_pieces, answer_rows
from memferry.http.bodies import read_body, read_large_body
from memferry.http.bulk import BulkRows
from memferry.http.docs import add_route, filter_fields, list_field, query_field
from memferry.http.paging import CURSOR, Pages, link_next
from memferry.http.requests import (
    INT64,
    Query,
    caller,
    flag,
    number,
    number_in,
    read_query,
    texts_in,
    time_or_none,
    uuid_in,
    uuid_or,
    work_beside,
)
from memferry.http.views import json_answer
from memferry.memories.service import Memories
from memferry.model import json, rules
from memferry.model.cursor import BackwardsMs, Name, TimeMs
from memferry.model.memory import BulkSearch, Change, NewMemory
from memferry.model.token import Scope

BULK_PATH = "/v1/memories/bulk"
# JSON may spell one byte of text with six (\u0041); content and metadata together stay below this.
_BODY_BYTES = 16 * 1024 * 1024
_BULK_BYTES = 128 * 1024 * 1024
_QUERIES = 25
_SEARCH_BODY_BYTES = 1024 * 1024
_THREAD_ROWS = 10_000
_NAMESPACES = 10_000

# What the rows of each list are ordered by.
_LISTED = (TimeMs, UUID)
_FOUND = (float, TimeMs, UUID)
_PIECES = (Decimal, TimeMs, UUID)

_PUBLISHED = [
    list_field(name, "sent by published clients; without effect")
    for name in ("recall", "source", "include", "entity")
]
_LIST_QUERY = [
    query_field("q", "string", "plain text; any shared word finds a memory"),
    query_field("limit", "integer", "50 unless given, held within 1 to 500"),
    query_field("offset", "integer", "how many rows to pass over; 0 unless given"),
    CURSOR,
    *filter_fields(),
    *_PUBLISHED,
]
_DELETE_QUERY = [
    query_field("purge_exports", "boolean", "also remove the stored exports that may hold it")
]
_RECALL_QUERY = [
    query_field("q", "string", "plain text"),
    query_field("limit", "integer", "10 unless given, held within 1 to 500"),
    *filter_fields(),
    *_PUBLISHED,
]
_THREAD_QUERY = [
    query_field("limit", "integer", "10,000 unless given, held within 1 to 10,000"),
    CURSOR,
]
_NAMESPACES_QUERY = [
    query_field("limit", "integer", "10,000 unless given, held within 1 to 10,000"),
    CURSOR,
]
_READ: tuple[Scope, ...] = ("memories:read",)
_WRITE: tuple[Scope, ...] = ("memories:write",)
_new_memory = msgspec.json.Decoder(NewMemory)
_change = msgspec.json.Decoder(Change)
_bulk_search = msgspec.json.Decoder(BulkSearch)


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
            router, f"POST {BULK_PATH}", self.save_bulk, 200, shapes.BulkSaved, 400, 413,
            body=shapes.BulkSave, scopes=_WRITE,
        )  # fmt: skip
        add_route(
            router, "GET /api/recall/unified", self.recall, 200, shapes.Recalled, 400,
            parameters=_RECALL_QUERY, scopes=_READ,
        )  # fmt: skip
        add_route(
            router, "GET /api/threads/{reference:any_text}", self.get_thread, 200, shapes.Thread,
            parameters=_THREAD_QUERY, scopes=_READ,
        )  # fmt: skip
        add_route(
            router, "GET /api/namespaces", self.list_namespaces, 200, list[shapes.Namespace], 400,
            parameters=_NAMESPACES_QUERY, scopes=_READ,
        )  # fmt: skip
        return router

    async def save_memory(self, request: Request) -> Response:
        """Save one memory. It is stored byte for byte; saving it twice makes two."""
        body = await read_body(request, _BODY_BYTES)
        new = await work_beside(len(body), lambda: json.decode(_new_memory, body).checked())
        row = await self._memories.save(caller(request), new)
        return await answer_pieces(request, [row.encode()], 201)

    async def list_memories(self, request: Request) -> Response:
        """List memories, newest first; with `q`, search them, best first. All filters must hold.

        While more are left, the header `Link` names the next page (`rel="next"`).
        """
        query = read_query(request)
        limit = number(query.get("limit"), 50, least=1, most=500)
        offset = number(query.get("offset"), 0, least=0, most=INT64)
        selection, asking = _selection(query), caller(request)
        q = rules.check_text("q", query.get("q") or "", most=rules.QUERY_CHARACTERS)
        pages = Pages(("memories", q, *selection.listing), _FOUND if q else _LISTED)
        asked: Any = {"limit": limit + 1, "offset": offset, "place": pages.place(query)}
        if q:
            found = await self._memories.search(asking, [q], selection, **asked)
        else:
            found = await self._memories.list_newest(asking, selection, **asked)
        names = ("score", "created_at", "id") if q else ("created_at", "id")
        places = [[row[name] for name in names] for row in found.records]
        link = link_next(request, pages.next_cursor(places, limit))
        return await answer_rows(request, found.take_first(limit), [(b"[", limit)], b"]", link)

    async def search_bulk(self, request: Request) -> Response:
        """Up to 25 searches in one request; answers come in the same order."""
        text = await read_body(request, _SEARCH_BODY_BYTES)
        body = await work_beside(len(text), lambda: json.decode(_bulk_search, text))
        if not 1 <= len(body.queries) <= _QUERIES:
            raise Invalid("queries", f"expected 1 to {_QUERIES} queries")
        for index, query in enumerate(body.queries):
            rules.check_text(f"queries[{index}]", query, most=rules.QUERY_CHARACTERS)
        limit = number_in(body.k, 5, least=1, most=50)
        selection = _bulk_selection(body)
        found = await self._memories.search(caller(request), body.queries, selection, limit=limit)
        hits = Counter(record["query"] for record in found.records)
        groups = [
            (b'%b{"query":%b,"hits":[' % (before, msgspec.json.encode(query)), hits[number])
            for number, query, before in zip(
                count(1), body.queries, chain([b'{"results":['], repeat(b"]},")), strict=False
            )
        ]
        return await answer_rows(request, found, groups, b"]}]}")

    async def get_memory(self, request: Request, memory_id: str) -> Response:
        """One memory."""
        found = await self._memories.get(caller(request), uuid_or(memory_id, MemoryNotFound()))
        return await answer_pieces(request, [found.encode()])

    async def change_memory(self, request: Request, memory_id: str) -> Response:
        """Change what is given. Metadata is merged at its top level; null removes a key."""
        body = await read_body(request, _BODY_BYTES) or b"{}"
        change = await work_beside(len(body), lambda: json.decode(_change, body).checked())
        changed = await self._memories.change(
            caller(request), uuid_or(memory_id, MemoryNotFound()), change
        )
        return await answer_pieces(request, [changed.encode()])

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
        """Save up to 10,000 rows; rows that break a rule are counted and named, not saved.

        Every row gets a new id, whatever id it brings. `ids` are those of the rows in their order,
        null for one that was not saved.
        """
        rows = await BulkRows.read(await read_large_body(request, _BULK_BYTES))
        saved = await self._memories.save_many(caller(request), rows.batches, most=len(rows))
        rows.refuse_empty(saved)
        return json_answer(
            {
                "saved": len(saved),
                "errors": len(rows.failures),
                "ids": rows.place(saved),
                "failures": rows.failures,
            }
        )

    async def recall(self, request: Request) -> Response:
        """What the published MCP server asks for: the best memories for a query."""
        query = read_query(request)
        limit = number(query.get("limit"), 10, least=1, most=500)
        q = rules.check_text("q", query.get("q") or "", most=rules.QUERY_CHARACTERS)
        found = await self._memories.search(caller(request), [q], _selection(query), limit=limit)
        end = b'],"procedurals":[],"query":%b}' % msgspec.json.encode(q)
        return await answer_rows(request, found, [(b'{"memories":[', limit)], end)

    async def get_thread(self, request: Request, reference: str) -> Response:
        """The pieces of one conversation or document, in order; or one memory, by its id.

        While more are left, `next_cursor` and the header `Link` lead to the next page.
        """
        query, pages = read_query(request), Pages(("thread", reference), _PIECES)
        limit = number(query.get("limit"), _THREAD_ROWS, least=1, most=_THREAD_ROWS)
        place = pages.place(query)
        if "\x00" in reference:  # no row holds it, and PostgreSQL could not even be asked
            return json_answer({"parent_ref": reference, "chunks": []})
        found = await self._memories.list_thread(
            caller(request), reference, uuid_in(reference), limit=limit + 1, place=place
        )
        places = [(row["position"], row["created_at"], row["id"]) for row in found.records]
        cursor = pages.next_cursor(places, limit)
        head = b'{"parent_ref":%b,"chunks":[' % msgspec.json.encode(reference)
        more = b',"next_cursor":%b' % msgspec.json.encode(cursor) if cursor else b""
        return await answer_rows(
            request,
            found.take_first(limit),
            [(head, limit)],
            b"]%b}" % more,
            link_next(request, cursor),
        )

    async def list_namespaces(self, request: Request) -> Response:
        """Every namespace with its number of memories, newest first.

        While more are left, the header `Link` names the next page (`rel="next"`).
        """
        query, pages = read_query(request), Pages(("namespaces",), (BackwardsMs, Name))
        limit = number(query.get("limit"), _NAMESPACES, least=1, most=_NAMESPACES)
        found = await self._memories.list_namespaces(
            caller(request), limit=limit + 1, place=pages.place(query)
        )
        places = [(-row["last_updated"], row["name"]) for row in found]
        link = link_next(request, pages.next_cursor(places, limit))
        return await answer_pieces(request, [msgspec.json.encode(found[:limit])], headers=link)


def _selection(query: Query) -> Selection:
    """The filters of a query string; empty ones count as not given, and so do junk times."""
    chosen: dict[type[Filter], object] = {}
    for filter_ in LIST_FILTERS:
        given: Any = query.get(filter_.field) or None
        if filter_.type is int:
            given = time_or_none(given)
        elif filter_.type == list[str]:
            given = texts_in(filter_.field, query.all(filter_.field))
        elif filter_.type is Raw and given is not None:
            given = Raw(given.strip().encode())
        if given is not None:
            chosen[filter_] = filter_.check(given)
    return Selection.of({filter_: value for filter_, value in chosen.items() if value is not None})


def _bulk_selection(body: BulkSearch) -> Selection:
    chosen: dict[type[Filter], object] = {}
    for each in LIST_FILTERS:
        given = getattr(body, each.field, None)
        value = None if given is None else each.check(given)
        if value is not None:
            chosen[each] = value
    return Selection.of(chosen)
