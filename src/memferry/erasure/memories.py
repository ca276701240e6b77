"""Deletes memories, and removes the stored exports that may hold them."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from uuid import UUID

from memferry.database.pool import Connection, Database, Via
from memferry.database.retry import retry_conflicts
from memferry.database.sql import sql
from memferry.errors import MemoryNotFound, StorageUnavailable
from memferry.exports.purge import begin_purge, purge_exports
from memferry.memories.changes import delete_memories, lock_memories
from memferry.model.token import Caller
from memferry.settings import ExportSettings
from memferry.storage import Storage, remove_with_companions
from memferry.telemetry import log_event


@dataclass(frozen=True)
class Deletion:
    """What was deleted."""

    ids: frozenset[UUID]
    purged: int | None
    """How many exports lost their bytes; None if none were to be purged."""


class MemoryErasure:
    """Deletes memories of every tenant, one tenant per call."""

    def __init__(
        self, database: Database, storage: Storage, settings: ExportSettings = ExportSettings()
    ) -> None:
        self._database = database
        self._storage = storage
        self._always_purge = settings.always_purge

    async def delete(self, caller: Caller, memory_id: UUID, *, purge: bool) -> int | None:
        """Delete one memory as `delete_many`; answers the number of purged exports.

        Raises MemoryNotFound.
        """
        deletion = await self.delete_many(caller, [memory_id], purge=purge)
        if not deletion.ids:
            raise MemoryNotFound
        return deletion.purged

    async def delete_many(
        self, caller: Caller, ids: Sequence[UUID], *, purge: bool, via: Via = "api"
    ) -> Deletion:
        """Delete those of the memories that there are, in one transaction.

        With `purge`, completed exports that may hold one of them lose their bytes in the same
        transaction, and exports that are being written start again: no export that is completed
        later holds it. By way of `expiry`, those are deleted that have expired.
        """
        if not (purge or self._always_purge):
            return Deletion(await self._delete(caller, ids, via), None)
        deleted, purged = await self._delete_and_purge(caller, ids, via)
        await self._remove([key for key in purged.values() if key is not None])
        return Deletion(deleted, len(purged))

    @retry_conflicts
    async def _delete(self, caller: Caller, ids: Sequence[UUID], via: Via) -> frozenset[UUID]:
        async with self._open(caller, via) as connection:
            if via == "expiry":
                ids = await _lock(connection, ids, via)
            return await delete_memories(connection, ids)

    @retry_conflicts
    async def _delete_and_purge(
        self, caller: Caller, ids: Sequence[UUID], via: Via
    ) -> tuple[frozenset[UUID], Mapping[str, str | None]]:
        async with self._open(caller, via) as connection:
            await begin_purge(connection)
            held = await _lock(connection, ids, via)
            purged = await purge_exports(connection, held) if held else {}
            return await delete_memories(connection, held), purged

    def _open(self, caller: Caller, via: Via) -> AbstractAsyncContextManager[Connection]:
        """A transaction; in that of a sweep no memory counts as expired, so that it is shown."""
        return self._database.tenant(caller, via=via, moment=0 if via == "expiry" else None)

    async def _remove(self, keys: list[str]) -> None:
        """Remove the files; if the store is away, the sweeper removes them later."""
        try:
            for key in keys:
                await remove_with_companions(self._storage, key)
        except StorageUnavailable as fault:
            log_event("purge.deferred", reason=fault)


async def _lock(connection: Connection, ids: Sequence[UUID], via: Via) -> list[UUID]:
    """Lock those of the memories that are to be deleted; answers their ids."""
    if via != "expiry":
        return await lock_memories(connection, ids)
    return [row["id"] for row in await connection.fetch(sql("erasure/lock_expired"), ids)]
