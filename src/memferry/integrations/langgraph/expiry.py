"""The expiry of items with a time to live: put off when they are read, kept by the service."""

import time
from collections.abc import Iterable

from memferry.client.calls import Call, make_path
from memferry.client.flows import send
from memferry.client.steps import Flow
from memferry.integrations.langgraph.items import StoredItem
from memferry.wire.batches import BatchChangeResult

_CHANGED_TOGETHER = 200
# Each change is a version in the history: a hundredth of a long time is not worth one.
_LEAST_PART = 100
_LONG_MS = 60_000


def make_expiry(ttl_ms: int) -> int:
    """Make the last moment of an item that lives so long from now on, in epoch milliseconds."""
    return time.time_ns() // 1_000_000 + ttl_ms


def refresh_expiry(items: Iterable[StoredItem]) -> Flow[None]:
    """Let items that were read live as long again; those that are gone meanwhile stay gone."""
    updates = [
        {"id": str(item.row.id), "expires_at": make_expiry(item.ttl_ms)}
        for item in items
        if item.ttl_ms is not None and _is_worthwhile(item.row.expires_at, item.ttl_ms)
    ]
    for start in range(0, len(updates), _CHANGED_TOGETHER):
        body = {"updates": updates[start : start + _CHANGED_TOGETHER]}
        yield from send(Call("PUT", make_path("memories", "batch"), body), BatchChangeResult)


def _is_worthwhile(expires_at: object, ttl_ms: int) -> bool:
    least_gain = ttl_ms // _LEAST_PART if ttl_ms >= _LONG_MS else 0
    return isinstance(expires_at, int) and make_expiry(ttl_ms) - expires_at > least_gain
