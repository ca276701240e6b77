"""Searches of items: the nearest to a vector, those that share words, or the latest."""

from collections.abc import Mapping
from heapq import heappush, heappushpop
from typing import Any, TypeAlias

import msgspec
from langgraph.store.base import SearchOp

from memferry.client.calls import Call, make_path
from memferry.client.flows import MOST_ROWS, choose_limit, collect_items, iterate_pages
from memferry.client.options import make_params
from memferry.client.steps import Flow, Listing
from memferry.integrations.langgraph.batches import read_query
from memferry.integrations.langgraph.items import StoredItem, match_prefix, read_item, read_vectors
from memferry.integrations.langgraph.value_filters import (
    check_filter,
    list_short_fields,
    matches,
)
from memferry.integrations.langgraph.vectors import QueryVector
from memferry.wire.memories import ListedMemory
from memferry.wire.schema import Json

_Rows: TypeAlias = list[ListedMemory]
# Vectors make rows large, and a page of them is compared without a pause of the event loop.
_ROWS_WITH_VECTORS = 100


class RowPage(msgspec.Struct):
    """A page of a list without a query, whose memories have no scores."""

    memories: list[ListedMemory]
    next_cursor: str | None = None


def find_items(root: str, search: SearchOp, vector: QueryVector | None) -> Flow[list[StoredItem]]:
    """Find the items of one page, by the vector of the query if there is one."""
    filters, query = check_filter(search.filter), read_query(search)
    fields = list_short_fields(filters)
    end = search.offset + search.limit
    chooser = _Chooser(root, filters)
    if vector is not None:
        prefix = match_prefix(search.namespace_prefix, fields, vectors={})
        ranking = _Ranking(chooser, vector, end)
        yield from collect_items(_list_latest(prefix, _ROWS_WITH_VECTORS), ranking.add)
        return ranking.list_items()[search.offset :]
    # Where the service looks up all that is asked for, no row is read in vain.
    most = choose_limit(end) if filters.keys() == fields.keys() else MOST_ROWS
    if query:
        prefix = match_prefix(search.namespace_prefix, fields, searched=True)
        listing = _list_hits(prefix, query, most)
    else:
        listing = _list_latest(match_prefix(search.namespace_prefix, fields), most)
    return (yield from collect_items(listing, chooser.choose, end))[search.offset :]


class _Chooser:
    """Chooses the items of a search from the memories of a listing, each item once."""

    def __init__(self, root: str, filters: Mapping[str, Any]) -> None:
        self._root = root
        self._filters = filters
        self._known = set[tuple[tuple[str, ...], str]]()

    def choose(self, row: ListedMemory) -> StoredItem | None:
        stored = read_item(self._root, row)
        if stored is None or not matches(stored.item.value, self._filters):
            return None
        name = (stored.item.namespace, stored.item.key)
        if name in self._known:
            return None  # saved twice at the same moment; the later one came before
        self._known.add(name)
        return stored


class _Ranking:
    """The nearest items of many, as many as a page ends with; of equals those that came first."""

    def __init__(self, chooser: _Chooser, vector: QueryVector, size: int) -> None:
        self._chooser = chooser
        self._vector = vector
        self._size = size
        self._count = 0
        self._nearest = list[tuple[float, int, StoredItem]]()

    def add(self, row: ListedMemory) -> None:
        """Add the item of a memory, if it is chosen and has vectors."""
        stored = self._chooser.choose(row)
        score = None if stored is None else self._vector.find_score(read_vectors(row))
        if stored is None or score is None:
            return
        stored.item.score = score
        self._count += 1
        entry = (score, -self._count, stored)
        if len(self._nearest) < self._size:
            heappush(self._nearest, entry)
        elif self._nearest:
            heappushpop(self._nearest, entry)

    def list_items(self) -> list[StoredItem]:
        """List the items, the nearest first."""
        return [stored for _, _, stored in sorted(self._nearest, reverse=True)]


def _list_latest(metadata: Json, most: int) -> Listing[ListedMemory]:
    body = {"metadata_filter": metadata, "limit": most}
    call = Call("POST", make_path("memories", "list"), body, reads=True)
    return iterate_pages(call, RowPage, lambda page: page.memories)


def _list_hits(metadata: Json, query: str, most: int) -> Listing[ListedMemory]:
    """List the memories that share a word with a query, best first."""
    text = msgspec.json.encode(metadata).decode()
    params = make_params({"q": query, "metadata_filter": text, "limit": most})
    return iterate_pages(Call("GET", make_path("memories"), params=params), _Rows, iter)
