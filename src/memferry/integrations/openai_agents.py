"""A session of the OpenAI Agents SDK whose items are memories; see memferry[openai-agents].

It keeps the protocol of the SDK's sessions, and needs the SDK only for settings in a dictionary.
"""

import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from memferry.client import AsyncClient
from memferry.errors import Invalid, MemoryNotFound
from memferry.integrations.exact_values import encode_value
from memferry.wire.memories import MemoryRow
from memferry.wire.schema import Json

if TYPE_CHECKING:
    from agents.items import TResponseInputItem
    from agents.memory.session_settings import SessionSettings

NAMESPACE = "openai_agents"
_SOURCE = "openai_agents"
_SAVED_TOGETHER, _DELETED_TOGETHER = 1000, 500


class MemferrySession:
    """The items of one conversation, as memories of the client's tenant and as one thread of them.

    Of two runs that add items at once, the items of each stay in their order.
    """

    def __init__(
        self,
        session_id: str,
        client: AsyncClient,
        *,
        namespace: str = NAMESPACE,
        session_settings: "SessionSettings | Mapping[str, Any] | None" = None,
    ) -> None:
        self.session_id = session_id
        self.session_settings = _make_settings(session_settings)
        self._client = client
        self._namespace = namespace

    async def get_items(self, limit: int | None = None) -> "list[TResponseInputItem]":
        """Get all items, or the `limit` latest ones, the oldest first."""
        if limit is None and self.session_settings is not None:
            limit = self.session_settings.limit
        latest = await self._read_latest(None if limit is None else max(limit, 0))
        return [item for _, item in reversed(latest)]

    async def add_items(self, items: "Sequence[TResponseInputItem]") -> None:
        """Add items at the end; raises Invalid, and adds none, if one is not to be saved."""
        texts = [encode_value(item) for item in items]
        newest = [row async for row in self._list_rows(1)]
        start = max([_read_clock(), *(row.created_at + 1 for row in newest)])
        saved = list[str]()
        for number in range(0, len(texts), _SAVED_TOGETHER):
            part = texts[number : number + _SAVED_TOGETHER]
            rows = [self._make_row(text, start + number + place) for place, text in enumerate(part)]
            result = await self._client.memories.save_many(rows)
            saved += [str(memory_id) for memory_id in result.ids if memory_id is not None]
            if result.failures:
                await self._delete(saved)
                fault = result.failures[0]
                raise Invalid(f"items[{number + fault.index}]", fault.error)

    async def pop_item(self) -> "TResponseInputItem | None":
        """Remove the latest item and answer it; None if there is none."""
        while latest := await self._read_latest(1):
            ((row, item),) = latest
            try:
                await self._client.memories.delete(row.id)
            except MemoryNotFound:
                continue  # another run was quicker
            return item
        return None

    async def clear_session(self) -> None:
        """Remove all items."""
        while ids := [str(row.id) async for row in self._list_rows(_DELETED_TOGETHER)]:
            await self._delete(ids)

    async def _read_latest(self, count: int | None) -> "list[tuple[MemoryRow, TResponseInputItem]]":
        """Read the latest items with their memories, the latest first; None: all.

        A memory that was edited and is no item any more does not count.
        """
        window = count
        while True:
            rows = [row async for row in self._list_rows(window)]
            items = [(row, item) for row in rows if (item := _read_item(row.content)) is not None]
            if count is None or window is None or len(items) >= count or len(rows) < window:
                return items[:count]
            window *= 2

    def _list_rows(self, limit: int | None) -> AsyncIterator[MemoryRow]:
        """List the memories of the session, the latest first."""
        return self._client.memories.list(
            namespace=self._namespace,
            metadata_filter={"parent_ref": self.session_id, "session": True},
            order="newest",
            limit=limit,
        )

    def _make_row(self, text: str, time_ms: int) -> Json:
        """Make the memory of an item; its time is its place, also in the thread."""
        metadata = {"parent_ref": self.session_id, "session": True, "chunk_index": time_ms}
        return {
            "content": text,
            "namespace": self._namespace,
            "source": _SOURCE,
            "metadata": metadata,
            "created_at": time_ms,
        }

    async def _delete(self, ids: Sequence[str]) -> None:
        for start in range(0, len(ids), _DELETED_TOGETHER):
            await self._client.memories.delete_many(ids[start : start + _DELETED_TOGETHER])


def _make_settings(settings: "SessionSettings | Mapping[str, Any] | None") -> Any:
    """Make settings of a dictionary, as the SDK's own sessions do; raises its TypeError."""
    if not isinstance(settings, Mapping):
        return settings
    from agents.memory.session_settings import coerce_session_settings  # noqa: PLC0415 - an extra

    return coerce_session_settings(dict(settings))


def _read_item(text: str) -> "TResponseInputItem | None":
    """Read an item; None for a text that is no JSON object."""
    try:
        item: TResponseInputItem = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return item if isinstance(item, dict) else None


def _read_clock() -> int:
    return time.time_ns() // 1_000_000
