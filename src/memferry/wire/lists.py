"""The bodies and answers of lists and searches whose filters are in a body; no field is ignored."""

from typing import Annotated, Any
from uuid import UUID

import msgspec

from memferry.filters import FILTERS
from memferry.filters.orders import ORDERS
from memferry.wire.filters import add_filters
from memferry.wire.memories import Hit, MemoryRow
from memferry.wire.schema import NextCursor, describe

DEFAULT_ORDER = "updated_desc"
DUPLICATE_IDS = 100
"""The most ids that a group of equal memories shows."""


class ListOptions(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """A list: its filters, its order and one of its pages."""

    order: Annotated[str | None, describe(enum=[*ORDERS, None])] = DEFAULT_ORDER
    limit: Annotated[Any, describe("held within 1 to 500; junk means 50")] = None
    offset: Annotated[Any, describe("how many rows to pass over; junk means 0")] = None
    cursor: Annotated[str | None, describe("the next_cursor of the page before")] = None


MemoryListing = add_filters("MemoryListing", ListOptions, FILTERS)


class SearchOptions(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """A search: its words, its filters and the number of hits."""

    query: Annotated[str, describe("plain text; any shared word finds a memory", example="tea")]
    k: Annotated[Any, describe("held within 1 to 100; junk means 5")] = None
    prefix: Annotated[bool | None, describe("words are beginnings of words")] = False


MemorySearch = add_filters("MemorySearch", SearchOptions, FILTERS)


class MemoryPage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One page of a list, and how many memories match in all when its first page was made."""

    memories: list[MemoryRow]
    limit: int
    offset: int
    total: int
    next_cursor: NextCursor = None


class SearchResult(msgspec.Struct, frozen=True, kw_only=True):
    """The hits of one query, best first."""

    query: str
    hits: list[Hit]


class DuplicateGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Memories of equal content in one namespace; times in epoch milliseconds UTC."""

    sha256: Annotated[str, describe("of the content as UTF-8, in hexadecimal")]
    namespace: str
    count: int
    first_at: int
    last_at: int
    ids: Annotated[list[UUID], describe(f"oldest first, up to {DUPLICATE_IDS}")]


class DuplicatePage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Groups of equal memories, the one with the oldest memory first."""

    groups: list[DuplicateGroup]
    next_cursor: NextCursor = None
