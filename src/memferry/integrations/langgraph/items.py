"""Items of a store as memories: the content is the value as JSON text, exact, metadata finds it.

The metadata has one key, `langgraph`: the labels of the namespace by their places, so that one
containment finds a prefix of them, the key, and short fields of the value, to filter by.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from langgraph.store.base import Item, PutOp, SearchItem

from memferry.errors import Invalid
from memferry.integrations.exact_values import is_utf8
from memferry.wire.memories import ListedMemory
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


def make_namespace(root: str, labels: Sequence[str]) -> str:
    """Make the namespace of a memory; no label holds a dot, so that it can be read back."""
    return ".".join((root, *labels))


def read_labels(root: str, namespace: str) -> tuple[str, ...] | None:
    """Read the labels of a namespace; None if it is not below the root."""
    start, *labels = namespace[len(root) :].split(".")
    return tuple(labels) if namespace.startswith(root) and not start else None


def make_metadata(put: PutOp, value: Mapping[str, Any]) -> Json:
    """Make the metadata of an item; one that is not `searched` is found by no query."""
    own: Json = {
        "namespace": _number(put.namespace),
        "key": put.key,
        "fields": {name: field for name, field in value.items() if is_short(name, field)},
        "searched": put.index is not False,
    }
    if put.ttl is not None:
        own["ttl_ms"] = make_ttl_ms(put.ttl)
    return {_OWN: own}


def make_ttl_ms(minutes: float) -> int:
    """Make milliseconds of a time to live in minutes; raises Invalid unless it is above 0."""
    if not 0 < minutes < _LONGEST_MINUTES:
        raise Invalid("ttl", "expected minutes above 0")
    return max(1, round(minutes * 60_000))


def match_prefix(labels: Sequence[str], fields: Mapping[str, Any], *, searched: bool) -> Json:
    """Make the filter for items below these labels with these short fields."""
    own: Json = {"namespace": _number(labels), "fields": dict(fields)}
    return {_OWN: own | {"searched": True} if searched else own}


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
