"""Memories: save, list, search, change and delete them, one or many."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias, Unpack

from msgspec import UNSET, UnsetType

from memferry.client.calls import Call, make_path
from memferry.client.flows import choose_limit, iterate_pages, send
from memferry.client.history import HistoryMethods
from memferry.client.methods import (
    Asynchronous,
    FlowMethod,
    ListingMethod,
    Synchronous,
)
from memferry.client.options import (
    FilterArguments,
    Id,
    Moment,
    make_body,
    make_change,
    make_list,
    make_params,
)
from memferry.client.steps import Flow, Listing
from memferry.wire.batches import BatchChangeResult, BatchDeletionResult
from memferry.wire.lists import DuplicateGroup, DuplicatePage, MemoryPage, SearchResult
from memferry.wire.memories import BulkSaveResult, BulkSearchResult, Hit, MemoryRow

_Rows: TypeAlias = list[Hit]
_Groups: TypeAlias = list[_Rows]
_BULK_PATH = "/v1/memories/bulk"


class MemoryMethods(HistoryMethods):
    """Everything below /api/memories that is about single memories."""

    @FlowMethod
    def save(
        self,
        content: str,
        *,
        namespace: str | None = None,
        tags: Iterable[str] | None = None,
        source: str | None = None,
        source_ref: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        expires_at: Moment | None = None,
    ) -> Flow[MemoryRow]:
        """Save one memory, byte for byte; saving it twice makes two, so it is sent once.

        >>> row = client.memories.save("Likes tea.", namespace="drinks", tags=["taste"])
        >>> row.namespace, row.tags
        ('drinks', ['taste'])
        """
        body = make_body(
            {
                "content": content,
                "namespace": namespace,
                "tags": None if tags is None else make_list(tags),
                "source": source,
                "source_ref": source_ref,
                "metadata": metadata,
                "expires_at": expires_at,
            }
        )
        return send(Call("POST", make_path("memories"), body), MemoryRow)

    @FlowMethod
    def save_many(self, items: Iterable[Mapping[str, Any]]) -> Flow[BulkSaveResult]:
        """Save up to 10,000 memories in one request; those that break a rule are named, not saved.

        >>> result = client.memories.save_many([{"content": "Has a dog."}, {"content": ""}])
        >>> result.saved, result.failures[0].error
        (1, 'content: must not be empty')
        """
        return send(Call("POST", _BULK_PATH, {"items": list(items)}), BulkSaveResult)

    @ListingMethod
    def list(
        self,
        *,
        order: str | None = None,
        limit: int | None = None,
        **filters: Unpack[FilterArguments],
    ) -> Listing[MemoryRow]:
        """Hand out the memories that match all filters, those that were changed last first.

        `order`: `newest`, `oldest`, `updated_desc`, `updated_asc`. `limit`: how many, at most.

        >>> _ = client.memories.save("Plays chess.", namespace="games")
        >>> [row.content for row in client.memories.list(namespace="games")]
        ['Plays chess.']
        """
        body = make_body({"order": order, "limit": choose_limit(limit), **filters})
        call = Call("POST", make_path("memories", "list"), body, reads=True)
        return iterate_pages(call, MemoryPage, lambda page: page.memories, limit)

    @FlowMethod
    def count(self, **filters: Unpack[FilterArguments]) -> Flow[int]:
        """Count the memories that match all filters.

        >>> _ = client.memories.save("Swims on Mondays.", namespace="sport")
        >>> client.memories.count(namespace="sport")
        1
        """
        body = make_body({"limit": 1, **filters})
        call = Call("POST", make_path("memories", "list"), body, reads=True)
        page = yield from send(call, MemoryPage)
        return page.total

    @FlowMethod
    def search(
        self,
        query: str,
        *,
        k: int | None = None,
        prefix: bool | None = None,
        **filters: Unpack[FilterArguments],
    ) -> Flow[_Rows]:
        """Find the memories that share words with a query, best first; `k` of them, up to 100.

        With `prefix` its words are beginnings of words.

        >>> _ = client.memories.save("The lease ends in March.", namespace="flat")
        >>> [hit.content for hit in client.memories.search("lease", namespace="flat")]
        ['The lease ends in March.']
        """
        body = make_body({"query": query, "k": k, "prefix": prefix, **filters})
        call = Call("POST", make_path("memories", "search"), body, reads=True)
        result = yield from send(call, SearchResult)
        return result.hits

    @FlowMethod
    def search_many(
        self,
        queries: Iterable[str],
        *,
        k: int | None = None,
        prefix: bool | None = None,
        **filters: Unpack[FilterArguments],
    ) -> Flow[_Groups]:
        """Run up to 25 searches with the same filters; the hits of each, in their order.

        >>> _ = client.memories.save("Sings in a choir.", namespace="music")
        >>> [len(hits) for hits in client.memories.search_many(["choir", "opera"])]
        [1, 0]
        """
        body = make_body({"queries": make_list(queries), "k": k, "prefix": prefix, **filters})
        call = Call("POST", make_path("memories", "search", "bulk"), body, reads=True)
        result = yield from send(call, BulkSearchResult)
        return [query_hits.hits for query_hits in result.results]

    @FlowMethod
    def get(self, memory_id: Id) -> Flow[MemoryRow]:
        """Look up one memory; raises MemoryNotFound.

        >>> row = client.memories.save("Lives in Bern.")
        >>> client.memories.get(row.id).content
        'Lives in Bern.'
        """
        return send(Call("GET", make_path("memories", memory_id)), MemoryRow)

    @FlowMethod
    def update(
        self,
        memory_id: Id,
        *,
        content: str | UnsetType = UNSET,
        tags: Iterable[str] | UnsetType = UNSET,
        namespace: str | UnsetType = UNSET,
        metadata: Mapping[str, Any] | UnsetType = UNSET,
        expires_at: Moment | UnsetType | None = UNSET,
    ) -> Flow[MemoryRow]:
        """Change the given fields. Tags are replaced; metadata is merged, None removes a key.

        With `expires_at` None the memory never expires.

        >>> row = client.memories.save("Likes tea.", metadata={"sure": False})
        >>> client.memories.update(row.id, content="Likes green tea.").content
        'Likes green tea.'
        """
        arguments = {
            "content": content,
            "tags": tags if isinstance(tags, UnsetType) else make_list(tags),
            "namespace": namespace,
            "metadata": metadata,
            "expires_at": expires_at,
        }
        call = Call("PATCH", make_path("memories", memory_id), make_change(arguments))
        return send(call, MemoryRow)

    @FlowMethod
    def update_many(self, updates: Iterable[Mapping[str, Any]]) -> Flow[BatchChangeResult]:
        """Change up to 200 memories; each update holds an `id` and the fields of `update`.

        >>> row = client.memories.save("Likes tea.")
        >>> client.memories.update_many([{"id": row.id, "tags": ["taste"]}]).updated
        1
        """
        call = Call("PUT", make_path("memories", "batch"), {"updates": list(updates)})
        return send(call, BatchChangeResult)

    @FlowMethod
    def delete(self, memory_id: Id, *, purge_exports: bool = False) -> Flow[None]:
        """Delete one memory, with `purge_exports` also from stored exports; raises MemoryNotFound.

        >>> row = client.memories.save("Said in confidence.")
        >>> client.memories.delete(row.id, purge_exports=True)
        """
        params = make_params({"purge_exports": purge_exports})
        return send(Call("DELETE", make_path("memories", memory_id), params=params), type(None))

    @FlowMethod
    def delete_many(
        self, ids: Iterable[Id], *, purge_exports: bool = False
    ) -> Flow[BatchDeletionResult]:
        """Delete up to 500 memories; the result names the ids that no memory has.

        >>> rows = [client.memories.save(text) for text in ("one", "two")]
        >>> client.memories.delete_many([row.id for row in rows]).deleted
        2
        """
        body = {"ids": make_list(ids)}
        params = make_params({"purge_exports": purge_exports})
        call = Call("DELETE", make_path("memories", "batch"), body, params)
        return send(call, BatchDeletionResult)

    @ListingMethod
    def list_duplicates(
        self, *, namespace: str | None = None, limit: int | None = None
    ) -> Listing[DuplicateGroup]:
        """Hand out groups of memories of equal content in one namespace, the oldest first.

        >>> rows = [client.memories.save("Twice.", namespace="twins") for _ in range(2)]
        >>> [group.count for group in client.memories.list_duplicates(namespace="twins")]
        [2]
        """
        params = make_params({"namespace": namespace, "limit": choose_limit(limit)})
        call = Call("GET", make_path("memories", "duplicates"), params=params)
        return iterate_pages(call, DuplicatePage, lambda page: page.groups, limit)


class MemoryClient(MemoryMethods, Synchronous):
    """`client.memories`."""


class AsyncMemoryClient(MemoryMethods, Asynchronous):
    """`client.memories` of an AsyncClient."""
