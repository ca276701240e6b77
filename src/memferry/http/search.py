"""The endpoints that list and search memories by filters."""

from collections import Counter
from dataclasses import dataclass
from functools import partial
from itertools import chain, count, repeat
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Raw
from starlette.requests import Request
from starlette.responses import Response

from memferry.errors import Invalid
from memferry.filters import FILTERS, Filter, Selection
from memferry.filters.checks import check_filters, keep_given
from memferry.http.answers import answer_rows
from memferry.http.auth import Access
from memferry.http.bodies import read_body
from memferry.http.paging import CURSOR, Pages, link_next
from memferry.http.parameters import filter_fields, list_field, query_field
from memferry.http.reading import (
    INT64,
    Query,
    convert_number,
    get_caller,
    read_flag,
    read_number,
    read_query,
    read_texts,
    read_time,
    run_by_size,
)
from memferry.http.routing import Operation
from memferry.memories.ranking import Ranking
from memferry.memories.rows import Rows
from memferry.memories.service import Memories
from memferry.model import rules, strict_json
from memferry.model.cursor import TimeMs
from memferry.model.token import Caller
from memferry.wire.memories import (
    BULK_QUERIES,
    BulkSearch,
    BulkSearchOptions,
    BulkSearchResult,
    ListedMemory,
    Recall,
)

_BODY_BYTES = 1024 * 1024
# What the rows of a list, and those of a search, are ordered by.
_LIST_ORDER = (TimeMs, UUID)
_SEARCH_ORDER = (float, TimeMs, UUID, Ranking)

_PREFIX = query_field("prefix", "boolean", "words of `q` are beginnings of words; false if missing")
_PUBLISHED = tuple(
    list_field(name, "sent by published clients; without effect")
    for name in ("recall", "source", "include", "entity")
)
_LIST_QUERY = (
    query_field("q", "string", "plain text; any shared word finds a memory"),
    _PREFIX,
    query_field("limit", "integer", "50 unless given, held within 1 to 500"),
    query_field("offset", "integer", "how many rows to pass over; 0 unless given"),
    CURSOR,
    *filter_fields(),
    *_PUBLISHED,
)
_RECALL_QUERY = (
    query_field("q", "string", "plain text"),
    _PREFIX,
    query_field("limit", "integer", "10 unless given, held within 1 to 500"),
    *filter_fields(),
    *_PUBLISHED,
)
_bulk_search = msgspec.json.Decoder(BulkSearch)
_operation = partial(Operation, tag="memories", access=Access(("memories:read",)))


@dataclass(frozen=True)
class SearchPage:
    """The rows of one page, and the cursor of the next one; None at the end."""

    rows: Rows
    cursor: str | None
    ranking: Ranking | None = None
    """Of a search: in how many rows each of its words is."""


class SearchEndpoints:
    """Finds memories by filters and by words."""

    def __init__(self, memories: Memories) -> None:
        self._memories = memories

    def operations(self) -> list[Operation]:
        """All addresses of lists and searches."""
        return [
            _operation(
                "GET /api/memories", self.list_memories, list[ListedMemory],
                parameters=_LIST_QUERY,
            ),
            _operation(
                "POST /api/memories/search/bulk", self.search_bulk, BulkSearchResult,
                body=BulkSearch,
            ),
            _operation(
                "GET /api/recall/unified", self.recall, Recall, parameters=_RECALL_QUERY
            ),
        ]  # fmt: skip

    async def list_memories(self, request: Request) -> Response:
        """List memories, newest first; with `q`, search them, best first. All filters must hold.

        While more are left, the header `Link` names the next page (`rel="next"`).
        """
        query = read_query(request)
        limit = read_number(query.get("limit"), 50, least=1, most=500)
        offset = read_number(query.get("offset"), 0, least=0, most=INT64)
        page = await self.read_page(get_caller(request), query, limit, offset)
        link = link_next(request, page.cursor)
        return await answer_rows(request, page.rows, [(b"[", limit)], b"]", link)

    async def read_page(
        self, caller: Caller, query: Query, limit: int, offset: int = 0
    ) -> SearchPage:
        """Read one page of a list or of a search."""
        bounds = {"limit": limit + 1, "offset": offset}
        read = self._search if read_words(query) else self._list_newest
        return await read(caller, query, bounds)

    async def _search(self, caller: Caller, query: Query, page: dict[str, Any]) -> SearchPage:
        selection, q, prefix = read_selection(query), read_words(query), read_prefix(query)
        pages = Pages(("memories", q, prefix, *selection.listing), _SEARCH_ORDER)
        page["place"] = pages.read_place(query)
        rows, ranking = await self._memories.search(caller, q, selection, is_prefix=prefix, **page)
        places = [
            [record["score"], record["created_at"], record["id"], ranking]
            for record in rows.records
        ]
        limit = page["limit"] - 1
        return SearchPage(rows.take_first(limit), pages.make_cursor(places, limit), ranking)

    async def _list_newest(self, caller: Caller, query: Query, page: dict[str, Any]) -> SearchPage:
        selection = read_selection(query)
        read_prefix(query)
        pages = Pages(("memories", "", *selection.listing), _LIST_ORDER)
        page["place"] = pages.read_place(query)
        rows = await self._memories.list_newest(caller, selection, **page)
        places = [[record["created_at"], record["id"]] for record in rows.records]
        limit = page["limit"] - 1
        return SearchPage(rows.take_first(limit), pages.make_cursor(places, limit))

    async def search_bulk(self, request: Request) -> Response:
        """Up to 25 searches in one request; answers come in the same order."""
        text = await read_body(request, _BODY_BYTES)
        body = await run_by_size(len(text), lambda: strict_json.decode(_bulk_search, text))
        _check_queries(body)
        limit = convert_number(body.k, 5, least=1, most=50)
        selection = Selection.for_scan(check_filters(FILTERS, body))
        rows = await self._memories.search_many(
            get_caller(request), body.queries, selection, limit=limit, is_prefix=bool(body.prefix)
        )
        hits = Counter(record["query"] for record in rows.records)
        groups = [
            (b'%b{"query":%b,"hits":[' % (before, msgspec.json.encode(query)), hits[number])
            for number, query, before in zip(
                count(1), body.queries, chain([b'{"results":['], repeat(b"]},")), strict=False
            )
        ]
        return await answer_rows(request, rows, groups, b"]}]}")

    async def recall(self, request: Request) -> Response:
        """Find the best memories for a query, for the published MCP server."""
        query = read_query(request)
        limit = read_number(query.get("limit"), 10, least=1, most=500)
        q = read_words(query)
        rows, _ = await self._memories.search(
            get_caller(request),
            q,
            read_selection(query),
            limit=limit,
            is_prefix=read_prefix(query),
        )
        end = b'],"procedurals":[],"query":%b}' % msgspec.json.encode(q)
        return await answer_rows(request, rows, [(b'{"memories":[', limit)], end)


def read_words(query: Query) -> str:
    """Read what is searched for; empty: nothing, but a list."""
    return rules.check_text("q", query.get("q") or "", most=rules.QUERY_CHARACTERS)


def read_prefix(query: Query) -> bool:
    """Read whether words are beginnings of words."""
    return read_flag(query, "prefix")


def _check_queries(body: BulkSearchOptions) -> None:
    if not 1 <= len(body.queries) <= BULK_QUERIES:
        raise Invalid("queries", f"expected 1 to {BULK_QUERIES} queries")
    for index, query in enumerate(body.queries):
        rules.check_text(f"queries[{index}]", query, most=rules.QUERY_CHARACTERS)


def read_selection(query: Query) -> Selection:
    """Read the filters of a query string; empty values and junk times count as missing."""
    return Selection.for_scan(
        keep_given({filter_: _read_filter(filter_, query) for filter_ in FILTERS})
    )


def _read_filter(filter_: type[Filter], query: Query) -> object:
    """Read the value of one filter; None if it is missing."""
    text = query.get(filter_.field) or None
    if filter_.type is int:
        return read_time(text)
    if filter_.type == list[str]:
        return read_texts(filter_.field, query.all(filter_.field))
    if filter_.type is Raw and text is not None:
        return Raw(text.strip().encode())
    return text
