"""The operations of a store as flows of the client, which run waiting or awaited."""

from typing import Any, TypeAlias

from langgraph.store.base import GetOp, Item, ListNamespacesOp, Op, Result, SearchItem, SearchOp

from memferry.client.calls import Call, make_path
from memferry.client.flows import collect_items, iterate_pages, send
from memferry.client.options import make_params
from memferry.client.steps import Flow
from memferry.errors import Invalid, MemoryNotFound
from memferry.integrations.langgraph.batches import read_query
from memferry.integrations.langgraph.expiry import make_expiry, refresh_expiry
from memferry.integrations.langgraph.items import (
    ItemPut,
    drop_score,
    make_metadata,
    make_namespace,
    match_key,
    read_item,
    read_labels,
    read_vectors,
)
from memferry.integrations.langgraph.namespaces import choose_namespaces
from memferry.integrations.langgraph.searches import RowPage, find_items
from memferry.integrations.langgraph.vector_index import Embedded
from memferry.wire.batches import BatchDeletionResult
from memferry.wire.memories import ListedMemory, MemoryRow, NamespaceCount
from memferry.wire.schema import Json

_Namespaces: TypeAlias = list[NamespaceCount]
_SOURCE = "langgraph"
_NAMESPACES_A_PAGE = 10_000
_MOST_TWINS = 100


class StoreOperations:
    """Runs the operations of one store, whose namespaces stand below a root of their own."""

    def __init__(self, root: str) -> None:
        """Raises Invalid for a root that could not be told from the labels below it."""
        if not root or "." in root:
            raise Invalid("root", "expected a text without dots")
        self._root = root

    def read(self, operation: Op, embedded: Embedded) -> Flow[Result]:
        """Read what an operation asks for; nothing for a put."""
        match operation:
            case GetOp():
                return (yield from self._get(operation))
            case SearchOp():
                return (yield from self._search(operation, embedded))
            case ListNamespacesOp():
                return (yield from self._list_namespaces(operation))
        return None

    def put(self, item_put: ItemPut, embedded: Embedded) -> Flow[None]:
        """Save, change or delete an item; what else has its key was saved at the same moment."""
        rows = yield from self._find(item_put.put.namespace, item_put.put.key)
        others = rows
        if item_put.content is not None:
            vectors = _choose_vectors(item_put, embedded, rows)
            body = self._make_body(item_put, item_put.content, vectors)
            changed = bool(rows) and (yield from _change(rows[0], body))
            others = rows[1:] if changed else rows
            if not changed:
                yield from send(Call("POST", make_path("memories"), body), MemoryRow)
        if others:
            ids = {"ids": [str(row.id) for row in others]}
            yield from send(
                Call("DELETE", make_path("memories", "batch"), ids), BatchDeletionResult
            )

    def _get(self, operation: GetOp) -> Flow[Item | None]:
        rows = yield from self._find(operation.namespace, operation.key)
        stored = [item for row in rows if (item := read_item(self._root, row)) is not None][:1]
        if operation.refresh_ttl:
            yield from refresh_expiry(stored)
        return drop_score(stored[0].item) if stored else None

    def _search(self, search: SearchOp, embedded: Embedded) -> Flow[list[SearchItem]]:
        vector = embedded.queries.get(read_query(search))
        page = yield from find_items(self._root, search, vector)
        if search.refresh_ttl:
            yield from refresh_expiry(page)
        return [stored.item for stored in page]

    def _list_namespaces(self, operation: ListNamespacesOp) -> Flow[list[tuple[str, ...]]]:
        params = make_params({"limit": _NAMESPACES_A_PAGE})
        listing = iterate_pages(
            Call("GET", make_path("namespaces"), params=params), _Namespaces, iter
        )
        namespaces = yield from collect_items(
            listing, lambda namespace: read_labels(self._root, namespace.name)
        )
        return choose_namespaces(namespaces, operation)

    def _find(self, labels: tuple[str, ...], key: str) -> Flow[list[ListedMemory]]:
        """Find the memories of a key, newest first: more than one if two saved it at once."""
        body = {
            "namespace": make_namespace(self._root, labels),
            "metadata_filter": match_key(key),
            "limit": _MOST_TWINS,
        }
        call = Call("POST", make_path("memories", "list"), body, reads=True)
        return (yield from send(call, RowPage)).memories

    def _make_body(self, item_put: ItemPut, content: str, vectors: Any) -> Json:
        ttl_ms = item_put.ttl_ms
        return {
            "content": content,
            "namespace": make_namespace(self._root, item_put.put.namespace),
            "source": _SOURCE,
            "metadata": make_metadata(item_put, vectors),
            "expires_at": None if ttl_ms is None else make_expiry(ttl_ms),
        }


def _choose_vectors(item_put: ItemPut, embedded: Embedded, rows: list[ListedMemory]) -> Any:
    """Choose the vectors of an item: those of its texts, or those it has if none is embedded."""
    if item_put.texts is None:
        return read_vectors(rows[0]) if rows else None
    return {place: embedded.texts[text] for place, text in item_put.texts.items()}


def _change(row: MemoryRow, body: Json) -> Flow[bool]:
    """Give a memory the value of a body, and its expiry; whether it was still there."""
    change = {name: body[name] for name in ("content", "metadata", "expires_at")}
    try:
        yield from send(Call("PATCH", make_path("memories", row.id), change), MemoryRow)
    except MemoryNotFound:
        return False
    return True
