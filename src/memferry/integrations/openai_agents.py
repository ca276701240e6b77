"""A session of the OpenAI Agents SDK whose items are memories; see memferry[openai-agents].

It keeps the protocol of the SDK's sessions, and needs the SDK only for their settings.
"""

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from memferry.client import AsyncClient, Client
from memferry.errors import Invalid, MemoryNotFound
from memferry.integrations.exact_values import encode_value
from memferry.wire.memories import BulkSaveResult, MemoryRow
from memferry.wire.schema import Json

if TYPE_CHECKING:
    from agents.items import TResponseInputItem
    from agents.memory.session_settings import SessionSettings

NAMESPACE = "openai_agents"
_SOURCE = "openai_agents"
_SAVED_TOGETHER, _DELETED_TOGETHER = 1000, 500


class MemferrySession:
    """The items of one conversation, as memories of the client's tenant and as one thread of them.

    Of two runs that add items at once, the items of each stay in their order. An AsyncClient serves
    the event loop that it runs in; a Client, in threads, any of them, and `Runner.run_sync`.
    """

    def __init__(
        self,
        session_id: str,
        client: AsyncClient | Client,
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
        newest = await self._list_rows(1)
        start = max([_read_clock(), *(row.created_at + 1 for row in newest)])
        saved = list[str]()
        for number in range(0, len(texts), _SAVED_TOGETHER):
            part = texts[number : number + _SAVED_TOGETHER]
            rows = [self._make_row(text, start + number + place) for place, text in enumerate(part)]
            result: BulkSaveResult = await self._call(self._client.memories.save_many, rows)
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
                await self._call(self._client.memories.delete, row.id)
            except MemoryNotFound:
                continue  # another run was quicker
            return item
        return None

    async def clear_session(self) -> None:
        """Remove all items."""
        while ids := [str(row.id) for row in await self._list_rows(_DELETED_TOGETHER)]:
            await self._delete(ids)

    async def _read_latest(self, count: int | None) -> "list[tuple[MemoryRow, TResponseInputItem]]":
        """Read the latest items with their memories, the latest first; None: all.

        A memory that was edited and is no item any more does not count.
        """
        window = count
        while True:
            rows = await self._list_rows(window)
            items = [(row, item) for row in rows if (item := _read_item(row.content)) is not None]
            if count is None or window is None or len(items) >= count or len(rows) < window:
                return items[:count]
            window *= 2

    async def _list_rows(self, limit: int | None) -> list[MemoryRow]:
        """List the memories of the session, the latest first."""
        filters: Any = {
            "namespace": self._namespace,
            "metadata_filter": {"parent_ref": self.session_id, "session": True},
            "order": "newest",
            "limit": limit,
        }
        if isinstance(self._client, AsyncClient):
            return [row async for row in self._client.memories.list(**filters)]
        return await asyncio.to_thread(list, self._client.memories.list(**filters))

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
            part = ids[start : start + _DELETED_TOGETHER]
            await self._call(self._client.memories.delete_many, part)

    async def _call(self, method: Callable[..., Any], *arguments: object) -> Any:
        """Call a method of the client; one that does not await does so in a thread."""
        if isinstance(self._client, AsyncClient):
            return await method(*arguments)
        return await asyncio.to_thread(method, *arguments)


def _make_settings(settings: "SessionSettings | Mapping[str, Any] | None") -> Any:
    """Make settings as the SDK's own sessions do; raises its TypeError for an unknown one."""
    if settings is not None and not isinstance(settings, Mapping):
        return settings
    try:
        from agents.memory.session_settings import (  # noqa: PLC0415 - an extra
            SessionSettings,
            coerce_session_settings,
        )
    except ModuleNotFoundError:
        if settings is None:
            return None
        raise
    return SessionSettings() if settings is None else coerce_session_settings(dict(settings))


def _read_item(text: str) -> "TResponseInputItem | None":
    """Read an item; None for a text that is no JSON object."""
    try:
        item: TResponseInputItem = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return item if isinstance(item, dict) else None


def _read_clock() -> int:
    return time.time_ns() // 1_000_000
