"""Items of a store as memories: the content is the value as JSON text, exact, metadata finds it.

The metadata has one key, `langgraph`: the labels of the namespace by their places, so that one
containment finds a prefix of them, the key, short fields of the value, to filter by, and vectors.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from langgraph.store.base import Item, PutOp, SearchItem

from memferry.client.exact_json import encode_exact
from memferry.errors import Invalid
from memferry.integrations.exact_values import is_utf8
from memferry.model.rules import METADATA_BYTES
from memferry.wire.memories import ListedMemory, MemoryRow
from memferry.wire.schema import Json

_OWN = "langgraph"
_SHORT_CHARACTERS = 256
_LARGE_INTEGER = 2**63
_LONGEST_MINUTES = 1e11  # within the times that a memory may have
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class StoredItem:
    """An item and the memory that it is."""

    row: ListedMemory
    item: SearchItem
    ttl_ms: int | None
    """How long it lives after it was put or read; None: until it is deleted."""


@dataclass(frozen=True)
class ItemPut:
    """A put that was checked, and the content of its memory; None deletes the item."""

    put: PutOp
    content: str | None
    ttl_ms: int | None
    texts: Mapping[str, str] | None
    """What is to be embedded, by its place in the value; None leaves the vectors that there are."""

    @property
    def name(self) -> tuple[tuple[str, ...], str]:
        """The namespace and the key, which name one item."""
        return self.put.namespace, self.put.key


def make_namespace(root: str, labels: Sequence[str]) -> str:
    """Make the namespace of a memory; no label holds a dot, so that it can be read back."""
    return ".".join((root, *labels))


def read_labels(root: str, namespace: str) -> tuple[str, ...] | None:
    """Read the labels of a namespace; None if it is not below the root."""
    start, *labels = namespace[len(root) :].split(".")
    return tuple(labels) if namespace.startswith(root) and not start else None


def make_metadata(item_put: ItemPut, vectors: Any) -> Json:
    """Make the metadata of an item; one that is not `searched` is found by no words.

    Raises Invalid for more vectors than metadata holds.
    """
    put = item_put.put
    fields = {name: field for name, field in (put.value or {}).items() if is_short(name, field)}
    own: Json = {
        "namespace": _number(put.namespace),
        "key": put.key,
        "fields": fields,
        "searched": put.index is not False,
    }
    if item_put.ttl_ms is not None:
        own["ttl_ms"] = item_put.ttl_ms
    if vectors:
        own["vectors"] = vectors
        if len(encode_exact({_OWN: own})) > METADATA_BYTES:
            reason = f"{len(vectors)} vectors are more than the metadata holds: embed fewer texts"
            raise Invalid("index", reason)
    return {_OWN: own}


def read_vectors(row: MemoryRow) -> Any:
    """Read the vectors of an item as they are: a person may have edited them."""
    own = (row.metadata or {}).get(_OWN)
    return own.get("vectors") if isinstance(own, dict) else None


def make_ttl_ms(minutes: float) -> int:
    """Make milliseconds of a time to live in minutes; raises Invalid unless it is above 0."""
    if not 0 < minutes < _LONGEST_MINUTES:
        raise Invalid("ttl", "expected minutes above 0")
    return max(1, round(minutes * 60_000))


def match_prefix(labels: Sequence[str], fields: Mapping[str, Any], **more: Any) -> Json:
    """Make the filter for items below these labels with these short fields."""
    return {_OWN: {"namespace": _number(labels), "fields": dict(fields), **more}}


def match_key(key: str) -> Json:
    """Make the filter for items with this key."""
    return {_OWN: {"key": key}}


def read_item(root: str, row: ListedMemory) -> StoredItem | None:
    """Read an item; None for a memory that is none."""
    labels, own = read_labels(root, row.namespace), (row.metadata or {}).get(_OWN)
    if labels is None or not isinstance(own, dict) or not isinstance(own.get("key"), str):
        return None
    value = _read_value(row.content)
    if value is None:
        return None
    item = SearchItem(
        labels, own["key"], value, _read_time(row.created_at), _read_time(row.updated_at), row.score
    )
    return StoredItem(row, item, own.get("ttl_ms"))


def drop_score(item: SearchItem) -> Item:
    """The item as `get` answers it."""
    return Item(
        value=item.value,
        key=item.key,
        namespace=item.namespace,
        created_at=item.created_at,
        updated_at=item.updated_at,
    )


def is_short(name: str, value: Any) -> bool:
    """Whether a field stands in the metadata, too: the same test for items and for filters."""
    return _is_short_value(name) and _is_short_value(value)


def _is_short_value(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= _SHORT_CHARACTERS and "\x00" not in value and is_utf8(value)
    if isinstance(value, int):
        return abs(value) < _LARGE_INTEGER
    return value is None or (isinstance(value, float) and math.isfinite(value))


def _number(labels: Sequence[str]) -> dict[str, str]:
    return {str(place): label for place, label in enumerate(labels)}


def _read_value(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _read_time(time_ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=time_ms)
