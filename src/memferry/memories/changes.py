"""Changes and deletions of memories within a transaction of their tenant, and of many at once."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from msgspec import UNSET

from memferry.database.pool import Connection, Database
from memferry.database.retry import retry_conflicts
from memferry.database.sql import sql
from memferry.errors import (
    MemferryError,
    MemoryNotFound,
    NamespaceForbidden,
    TooLarge,
    TooManyMemoryBytes,
)
from memferry.memories.rendering import make_renderer
from memferry.memories.rows import Rows, bound_row_bytes
from memferry.model import rules
from memferry.model.json_text import merge_members
from memferry.model.memory import ValidChange
from memferry.model.strict_json import compact
from memferry.model.token import Caller
from memferry.settings import Quotas

# What keeps one memory from being changed, and says nothing of the others.
_OF_ONE = (MemoryNotFound, NamespaceForbidden, TooLarge, TooManyMemoryBytes)


@dataclass(frozen=True)
class BatchOutcome:
    """What became of the changes of a batch."""

    faults: Mapping[int, MemferryError]
    """Why changes were not made, by their index."""
    rows: Rows
    """The changed memories, in the order of the changes."""


class MemoryBatches:
    """Changes of many memories of every tenant, one caller per call."""

    def __init__(self, database: Database, quotas: Quotas = Quotas()) -> None:
        self._database = database
        self._quotas = quotas

    @retry_conflicts
    async def change(
        self, caller: Caller, changes: Sequence[tuple[UUID, ValidChange]]
    ) -> BatchOutcome:
        """Make every change that can be made, in one transaction; the others leave faults.

        Changes of the same memory are made in their order.
        """
        faults: dict[int, MemferryError] = {}
        ids = [memory_id for memory_id, _ in changes]
        async with self._database.tenant(
            caller, long_running=True, heavy=True, via="batch"
        ) as connection:
            # Before the first change: later on this transaction holds a row that others wait for.
            await lock_memories(connection, ids)
            for index, (memory_id, change) in enumerate(changes):
                try:
                    await change_memory(connection, caller, memory_id, change, self._quotas)
                except _OF_ONE as fault:
                    faults[index] = fault
            changed = [memory_id for index, memory_id in enumerate(ids) if index not in faults]
            records = await connection.fetch(
                sql("memories/describe_memories"), changed, bound_row_bytes(len(changes) or 1)
            )
        return BatchOutcome(faults, Rows(records, make_renderer(self._database, caller)))


async def lock_memories(connection: Connection, ids: Sequence[UUID]) -> list[UUID]:
    """Lock those of the memories that there are until the transaction ends; answers their ids."""
    return [row["id"] for row in await connection.fetch(sql("memories/lock_memories"), ids)]


async def delete_memories(connection: Connection, ids: Sequence[UUID]) -> frozenset[UUID]:
    """Delete memories in a transaction of their tenant; answers the ids of those there were."""
    rows = await connection.fetch(sql("memories/delete_memories"), ids)
    return frozenset(row["id"] for row in rows)


async def change_memory(
    connection: Connection, caller: Caller, memory_id: UUID, change: ValidChange, quotas: Quotas
) -> str:
    """Change the fields that are not None in a transaction of the caller; answers the new row.

    Metadata is merged at its top level; a null there removes the key. Raises MemoryNotFound,
    NamespaceForbidden, TooLarge for the merged metadata, and TooManyMemoryBytes if the memory would
    grow while the tenant has as many bytes as it may have.
    """
    if change.namespace is not None:
        caller.check_namespace(change.namespace)
    metadata = change.metadata
    if metadata is not None:
        old = await connection.fetchval(sql("memories/lock_metadata"), memory_id)
        if old is None:
            raise MemoryNotFound
        metadata = await asyncio.to_thread(_merge, old, metadata)
    answer = await connection.fetchrow(
        sql("memories/change_memory"),
        memory_id,
        change.content,
        change.tags,
        change.namespace,
        metadata,
        quotas.memory_bytes,
        change.expires_at is not UNSET,
        None if change.expires_at is UNSET else change.expires_at,
    )
    if answer is None:
        raise MemoryNotFound
    if answer["row"] is None:
        raise TooManyMemoryBytes(quotas.memory_bytes)
    row: str = answer["row"]
    return row


def _merge(old: str, patch: str) -> str:
    """Merge two JSON objects; raises TooLarge if the result is larger than metadata may be."""
    merged = merge_members(compact("metadata", old.encode()), patch.encode())
    if len(merged) > rules.METADATA_BYTES:
        raise TooLarge("metadata", rules.METADATA_BYTES)
    return merged.decode()
