"""The operations of a store as flows of the client, which run waiting or awaited.

All reads of a batch come before its writes, and of several writes of one key the last one counts:
as in the published stores.
"""

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import msgspec
from langgraph.store.base import (
    GetOp,
    Item,
    ListNamespacesOp,
    Op,
    PutOp,
    Result,
    SearchItem,
    SearchOp,
)
from langgraph.store.base import validate_op_namespace as check_labels

from memferry.client.calls import Call, make_path
from memferry.client.flows import MOST_ROWS, collect_items, iterate_pages, send
from memferry.client.options import make_params
from memferry.client.steps import Flow, Listing
from memferry.errors import Invalid, MemoryNotFound
from memferry.integrations.exact_values import encode_value
from memferry.integrations.langgraph.expiry import make_expiry, refresh_expiry
from memferry.integrations.langgraph.items import (
    StoredItem,
    drop_score,
    make_metadata,
    make_namespace,
    make_ttl_ms,
    match_key,
    match_prefix,
    read_item,
    read_labels,
)
from memferry.integrations.langgraph.namespaces import choose_namespaces
from memferry.integrations.langgraph.value_filters import (
    check_filter,
    list_short_fields,
    matches,
)
from memferry.wire.batches import BatchDeletionResult
from memferry.wire.memories import ListedMemory, MemoryRow, NamespaceCount
from memferry.wire.schema import Json

_Namespaces: TypeAlias = list[NamespaceCount]
_Rows: TypeAlias = list[ListedMemory]
_SOURCE = "langgraph"
_NAMESPACES_A_PAGE = 10_000
_MOST_TWINS = 100


class _Page(msgspec.Struct):
    """A page of a list without a query, whose memories have no scores."""

    memories: list[ListedMemory]
    next_cursor: str | None = None


class StoreOperations:
    """Runs the operations of one store, whose namespaces stand below a root of their own."""

    def __init__(self, root: str) -> None:
        """Raises Invalid for a root that could not be told from the labels below it."""
        if not root or "." in root:
            raise Invalid("root", "expected a text without dots")
        self._root = root

    def run(self, operations: Iterable[Op]) -> Flow[list[Result]]:
        """Run a batch; the results stand in the order of the operations."""
        batch = list(operations)
        for operation in batch:
            check_labels(operation)
        results: list[Result] = []
        for operation in batch:
            result = yield from self._read(operation)
            results.append(result)
        puts = {(put.namespace, put.key): put for put in batch if isinstance(put, PutOp)}
        for put in puts.values():
            yield from self._put(put)
        return results

    def _read(self, operation: Op) -> Flow[Result]:
        match operation:
            case GetOp():
                return (yield from self._get(operation))
            case SearchOp():
                return (yield from self._search(operation))
            case ListNamespacesOp():
                return (yield from self._list_namespaces(operation))
        return None

    def _get(self, operation: GetOp) -> Flow[Item | None]:
        rows = yield from self._find(operation.namespace, operation.key)
        stored = [item for row in rows if (item := read_item(self._root, row)) is not None][:1]
        if operation.refresh_ttl:
            yield from refresh_expiry(stored)
        return drop_score(stored[0].item) if stored else None

    def _put(self, put: PutOp) -> Flow[None]:
        """Save, change or delete an item; what else has its key was saved at the same moment."""
        rows = yield from self._find(put.namespace, put.key)
        others = rows
        if put.value is not None:
            body = self._make_body(put, put.value)
            changed = bool(rows) and (yield from _change(rows[0], body))
            others = rows[1:] if changed else rows
            if not changed:
                yield from send(Call("POST", make_path("memories"), body), MemoryRow)
        if others:
            ids = {"ids": [str(row.id) for row in others]}
            yield from send(
                Call("DELETE", make_path("memories", "batch"), ids), BatchDeletionResult
            )

    def _search(self, operation: SearchOp) -> Flow[list[SearchItem]]:
        filters = check_filter(operation.filter)
        query = (operation.query or "").strip()
        prefix = match_prefix(
            operation.namespace_prefix, list_short_fields(filters), searched=bool(query)
        )
        known = set[tuple[tuple[str, ...], str]]()

        def choose(row: ListedMemory) -> StoredItem | None:
            stored = read_item(self._root, row)
            if stored is None or not matches(stored.item.value, filters):
                return None
            name = (stored.item.namespace, stored.item.key)
            if name in known:
                return None  # saved twice at the same moment; the later one came before
            known.add(name)
            return stored

        end = operation.offset + operation.limit
        stored = yield from collect_items(_list_rows(prefix, query), choose, end)
        page = stored[operation.offset :]
        if operation.refresh_ttl:
            yield from refresh_expiry(page)
        return [stored_item.item for stored_item in page]

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
        return (yield from send(call, _Page)).memories

    def _make_body(self, put: PutOp, value: Mapping[str, Any]) -> Json:
        return {
            "content": encode_value(value),
            "namespace": make_namespace(self._root, put.namespace),
            "source": _SOURCE,
            "metadata": make_metadata(put, value),
            "expires_at": None if put.ttl is None else make_expiry(make_ttl_ms(put.ttl)),
        }


def _change(row: MemoryRow, body: Json) -> Flow[bool]:
    """Give a memory the value of a body, and its expiry; whether it was still there."""
    change = {name: body[name] for name in ("content", "metadata", "expires_at")}
    try:
        yield from send(Call("PATCH", make_path("memories", row.id), change), MemoryRow)
    except MemoryNotFound:
        return False
    return True


def _list_rows(metadata: Json, query: str) -> Listing[ListedMemory]:
    """List memories: those that share a word with a query, best first; else the latest first."""
    if query:
        text = msgspec.json.encode(metadata).decode()
        params = make_params({"q": query, "metadata_filter": text, "limit": MOST_ROWS})
        return iterate_pages(Call("GET", make_path("memories"), params=params), _Rows, iter)
    body = {"metadata_filter": metadata, "limit": MOST_ROWS}
    call = Call("POST", make_path("memories", "list"), body, reads=True)
    return iterate_pages(call, _Page, lambda page: page.memories)
