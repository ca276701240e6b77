"""The bodies and answers of memories; unknown fields of a memory are ignored."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import UNSET, Raw, UnsetType

from memferry.filters import FILTERS
from memferry.model.memory import DEFAULT_NAMESPACE, DEFAULT_SOURCE
from memferry.wire.filters import add_filters
from memferry.wire.schema import Json, JsonText, NextCursor, Time, describe

BULK_ROWS = 10_000
BULK_QUERIES = 25

_Content = Annotated[str, describe(minLength=1)]
_Score = Annotated[float, describe(exclusiveMinimum=0)]


class NewMemory(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A memory to save."""

    content: Annotated[_Content, describe("up to 1 MiB of UTF-8", example="Likes tea.")]
    namespace: Annotated[str | None, describe("the name of its group", example="preferences")] = (
        DEFAULT_NAMESPACE
    )
    tags: Annotated[list[str] | None, describe("labels to find it by", example=["tone"])] = None
    source: Annotated[str | None, describe("the program that it comes from")] = DEFAULT_SOURCE
    source_ref: Annotated[str | None, describe("its name or id there")] = None
    metadata: Annotated[
        JsonText | UnsetType,
        describe("any JSON object; its numbers keep their digits", example={"confidence": 0.9}),
    ] = UNSET
    expires_at: Annotated[
        Time | None, describe("the last moment of the memory; null: as its project says")
    ] = None


class MovedMemory(NewMemory, frozen=True, kw_only=True, omit_defaults=True):
    """A memory of a bulk save, which may bring its times."""

    created_at: Time | None = None
    updated_at: Time | None = None


class MemoryChange(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A change of a memory: at least one field; the others stay."""

    content: Annotated[_Content | UnsetType, describe(example="Likes green tea.")] = UNSET
    tags: Annotated[list[str] | UnsetType, describe("replaces all tags")] = UNSET
    namespace: Annotated[str | UnsetType, describe("moves the memory")] = UNSET
    metadata: Annotated[Raw | UnsetType, describe("merged; null removes a key", type="object")] = (
        UNSET
    )
    expires_at: Annotated[
        Time | UnsetType | None, describe("the last moment of the memory; null: it never expires")
    ] = UNSET


class BulkSave(msgspec.Struct, frozen=True, kw_only=True):
    """Rows to save together."""

    items: Annotated[list[MovedMemory], describe(maxItems=BULK_ROWS)]


class BulkSearchOptions(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """Several searches with the same filters; any other field is refused."""

    queries: Annotated[
        list[str], describe(example=["tea", "answers"], minItems=1, maxItems=BULK_QUERIES)
    ]
    k: Annotated[Any, describe("held within 1 to 50; junk means 5")] = None
    prefix: Annotated[bool | None, describe("words are beginnings of words")] = False
    recall: Annotated[Any, describe("sent by published clients; without effect")] = None
    source: Annotated[Any, describe("sent by published clients; without effect")] = None
    include: Annotated[Any, describe("sent by published clients; without effect")] = None
    entity: Annotated[Any, describe("sent by published clients; without effect")] = None


BulkSearch = add_filters("BulkSearch", BulkSearchOptions, FILTERS)


class MemoryRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One memory; times in epoch milliseconds UTC."""

    id: UUID
    content: Annotated[str, describe(example="Prefers short answers.")]
    namespace: Annotated[str, describe(example="preferences")]
    tags: Annotated[list[str], describe(example=["tone"])]
    source: Annotated[str, describe(example="agent")]
    source_ref: str | None
    metadata: Annotated[Json | None, describe(example={"confidence": 0.9})]
    created_at: int
    updated_at: int
    expires_at: Annotated[
        int | UnsetType, describe("the last moment of the memory; not there if it never expires")
    ] = UNSET


class Hit(MemoryRow, frozen=True, kw_only=True, omit_defaults=True):
    """A memory a search found; the larger the score, the better."""

    score: _Score


class ListedMemory(MemoryRow, frozen=True, kw_only=True, omit_defaults=True):
    """A memory in a list; with a score if the list is a search."""

    score: _Score | None = None


class RowFailure(msgspec.Struct, frozen=True, kw_only=True):
    """Why a row was not saved."""

    index: int
    field: str
    error: str


class BulkSaveResult(msgspec.Struct, frozen=True, kw_only=True):
    """The number of saved rows, and the faults of the others."""

    saved: int
    errors: int
    ids: Annotated[list[UUID | None], describe("of the rows in their order; null: not saved")]
    failures: list[RowFailure]


class QueryHits(msgspec.Struct, frozen=True, kw_only=True):
    """One query and its hits, best first."""

    query: str
    hits: list[Hit]


class BulkSearchResult(msgspec.Struct, frozen=True, kw_only=True):
    """One entry per query, in the same order."""

    results: list[QueryHits]


class Recall(msgspec.Struct, frozen=True, kw_only=True):
    """What the published MCP server reads."""

    memories: list[Hit]
    procedurals: list[Json]
    query: str


class Thread(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The pieces of one conversation or document, in order."""

    parent_ref: str
    chunks: list[MemoryRow]
    next_cursor: NextCursor = None


class ThreadSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One thread, or one memory that belongs to none; times in epoch milliseconds UTC."""

    parent_ref: Annotated[str, describe("of a memory that belongs to no thread, its id")]
    namespace: str
    count: int
    first_at: int
    last_at: int
    title: Annotated[str, describe("metadata.title of the oldest memory, or its first line")]
    has_chunks: Annotated[bool, describe("whether any has a metadata.chunk_index")]


class NamespaceCount(msgspec.Struct, frozen=True, kw_only=True):
    """One namespace."""

    name: str
    count: int
    last_updated: int
