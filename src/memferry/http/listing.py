"""The endpoints that list and search memories by filters in a body."""

from functools import partial
from typing import Any
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from memferry.errors import Invalid
from memferry.filters import FILTERS, Selection
from memferry.filters.checks import check_filters
from memferry.filters.orders import ORDERS, ListOrder
from memferry.http.answers import answer_rows
from memferry.http.auth import Access
from memferry.http.bodies import read_body
from memferry.http.paging import Pages
from memferry.http.reading import INT64, convert_number, get_caller, run_by_size
from memferry.http.routing import Operation
from memferry.memories.lists import MemoryLists
from memferry.memories.service import Memories
from memferry.model import rules, strict_json
from memferry.model.cursor import TimeMs
from memferry.wire.lists import (
    DEFAULT_ORDER,
    MemoryListing,
    MemoryPage,
    MemorySearch,
    SearchResult,
)

_BODY_BYTES = 1024 * 1024
# The time and the id of the last row, and the number of all rows when the first page was made.
_PLACE = (TimeMs, UUID, TimeMs)
_listing = msgspec.json.Decoder(MemoryListing)
_search = msgspec.json.Decoder(MemorySearch)
_operation = partial(Operation, tag="memories", access=Access(("memories:read",)))


class ListingEndpoints:
    """Lists and searches whose filters are in the body."""

    def __init__(self, memories: Memories, lists: MemoryLists) -> None:
        self._memories = memories
        self._lists = lists

    def operations(self) -> list[Operation]:
        """Both addresses."""
        return [
            _operation(
                "POST /api/memories/list", self.list_with_total, MemoryPage, errors=(413,),
                body=MemoryListing,
            ),
            _operation(
                "POST /api/memories/search", self.search_memories, SearchResult, errors=(413,),
                body=MemorySearch,
            ),
        ]  # fmt: skip

    async def list_with_total(self, request: Request) -> Response:
        """List memories in one of four orders, and tell how many match. All filters must hold.

        While more are left, `next_cursor` leads to the next page: sent as `cursor` with the same
        filters and order. Pages of a cursor repeat the `total` of the first one.
        """
        body = await _read(request, _listing)
        order = _find_order(body.order)
        limit = convert_number(body.limit, 50, least=1, most=500)
        offset = convert_number(body.offset, 0, least=0, most=INT64)
        selection = Selection.for_scan(check_filters(FILTERS, body))
        pages = Pages(("list", order.time, order.descending, *selection.listing), _PLACE)
        *place, known = pages.find_place(body.cursor, with_offset=offset > 0) or (None,)
        rows, total = await self._lists.list_ordered(
            get_caller(request), selection, order,
            limit=limit + 1, offset=offset, place=place, total=known,
        )  # fmt: skip
        places = [(record[order.time], record["id"], total) for record in rows.records]
        head: dict[str, object] = {"limit": limit, "offset": offset, "total": total}
        if cursor := pages.make_cursor(places, limit):
            head["next_cursor"] = cursor
        start = b'%b,"memories":[' % msgspec.json.encode(head).removesuffix(b"}")
        return await answer_rows(request, rows.take_first(limit), [(start, limit)], b"]}")

    async def search_memories(self, request: Request) -> Response:
        """Find the best memories for a query. All filters must hold."""
        body = await _read(request, _search)
        query = rules.check_text("query", body.query, most=rules.QUERY_CHARACTERS)
        limit = convert_number(body.k, 5, least=1, most=100)
        selection = Selection.for_scan(check_filters(FILTERS, body))
        rows, _ = await self._memories.search(
            get_caller(request), query, selection, limit=limit, is_prefix=bool(body.prefix)
        )
        start = b'{"query":%b,"hits":[' % msgspec.json.encode(query)
        return await answer_rows(request, rows, [(start, limit)], b"]}")


async def _read(request: Request, decoder: "msgspec.json.Decoder[Any]") -> Any:
    text = await read_body(request, _BODY_BYTES) or b"{}"
    return await run_by_size(len(text), lambda: strict_json.decode(decoder, text))


def _find_order(name: str | None) -> ListOrder:
    order = ORDERS.get(DEFAULT_ORDER if name is None else name)
    if order is None:
        raise Invalid("order", f"unknown; expected one of {', '.join(ORDERS)}")
    return order
