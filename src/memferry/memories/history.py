"""The history of single memories, and the way back to a former version."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from memferry.database.pool import Connection, Database
from memferry.database.retry import retry_conflicts
from memferry.database.sql import sql
from memferry.errors import (
    MemoryDeleted,
    MemoryNotFound,
    TooManyMemoryBytes,
    VersionExpired,
    VersionNotFound,
)
from memferry.model.token import Caller
from memferry.settings import Quotas

FORMER_BYTES = 4 * 1024 * 1024
"""The most bytes of former states in one answer; the first entry has its own, however large."""


class MemoryHistory:
    """The histories of every tenant, one caller per call."""

    def __init__(self, database: Database, quotas: Quotas = Quotas()) -> None:
        self._database = database
        self._quotas = quotas

    async def list_changes(
        self, caller: Caller, memory_id: UUID, *, limit: int, after: int = 0
    ) -> Sequence[asyncpg.Record]:
        """The changes after a version, oldest first, also of a deleted memory.

        Raises MemoryNotFound.
        """
        async with self._database.tenant(caller, heavy=True) as connection:
            return await _list_changes(connection, caller, memory_id, limit=limit, after=after)

    async def get_change(self, caller: Caller, memory_id: UUID, version: int) -> asyncpg.Record:
        """The change that made a version; raises MemoryNotFound and VersionNotFound."""
        changes = await self.list_changes(caller, memory_id, limit=1, after=version - 1)
        if not changes or changes[0]["version"] != version:
            raise VersionNotFound
        return changes[0]

    @retry_conflicts
    async def restore(self, caller: Caller, memory_id: UUID, version: int) -> str:
        """Give a memory the state that it had as this version, and answer the row.

        The version that it has stays as it is. Raises MemoryNotFound, MemoryDeleted,
        VersionNotFound for one that is not kept, VersionExpired, and TooManyMemoryBytes.
        """
        async with self._database.tenant(caller, via="restore") as connection:
            current = await connection.fetchval(sql("memories/lock_version"), memory_id)
            if current is None:
                await _list_changes(connection, caller, memory_id, limit=1)
                raise MemoryDeleted
            if current == version:
                row: str = await connection.fetchval(sql("memories/get_memory"), memory_id)
                return row
            return await self._restore(connection, memory_id, version)

    async def _restore(self, connection: Connection, memory_id: UUID, version: int) -> str:
        answer = await connection.fetchrow(
            sql("memories/restore_memory"), memory_id, version, self._quotas.memory_bytes
        )
        if answer is None:
            raise VersionNotFound
        if answer["expired"]:
            raise VersionExpired
        if answer["row"] is None:
            raise TooManyMemoryBytes(self._quotas.memory_bytes)
        row: str = answer["row"]
        return row


async def _list_changes(
    connection: Connection, caller: Caller, memory_id: UUID, *, limit: int, after: int = 0
) -> Sequence[asyncpg.Record]:
    limited = caller.namespaces is not None
    rows = await connection.fetch(
        sql("memories/list_history"), memory_id, after, limit, FORMER_BYTES, limited
    )
    if not rows:
        raise MemoryNotFound
    return [row for row in rows if row["version"] is not None]
