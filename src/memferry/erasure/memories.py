"""Deletes a memory, and removes the stored exports that may hold it."""

from uuid import UUID

from memferry.database.pool import Database
from memferry.database.retry import retry_conflicts
from memferry.errors import StorageUnavailable
from memferry.exports.purge import begin_purge, purge_exports
from memferry.memories.service import delete_memory
from memferry.model.token import Caller
from memferry.settings import ExportSettings
from memferry.storage import Storage, remove_with_companions
from memferry.telemetry import log_event


class MemoryErasure:
    """Deletes memories of every tenant, one tenant per call."""

    def __init__(
        self, database: Database, storage: Storage, settings: ExportSettings = ExportSettings()
    ) -> None:
        self._database = database
        self._storage = storage
        self._always_purge = settings.always_purge

    @retry_conflicts
    async def delete(self, caller: Caller, memory_id: UUID, *, purge: bool) -> int | None:
        """Delete one memory; answers the number of purged exports, None if none were to be purged.

        With `purge`, completed exports that may hold the memory lose their bytes in the same
        transaction, and exports that are being written start again: no export that is completed
        later holds the memory. Raises MemoryNotFound.
        """
        if not (purge or self._always_purge):
            async with self._database.tenant(caller) as connection:
                await delete_memory(connection, memory_id)
            return None
        async with self._database.tenant(caller) as connection:
            await begin_purge(connection)
            purged = await purge_exports(connection, await delete_memory(connection, memory_id))
        await self._remove([key for key in purged.values() if key is not None])
        return len(purged)

    async def _remove(self, keys: list[str]) -> None:
        """Remove the files; if the store is away, the sweeper removes them later."""
        try:
            for key in keys:
                await remove_with_companions(self._storage, key)
        except StorageUnavailable as fault:
            log_event("purge.deferred", reason=fault)
