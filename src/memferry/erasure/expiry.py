"""Deletes memories whose time is over, as a request would."""

from memferry.database.pool import Database
from memferry.database.sql import sql
from memferry.erasure.memories import MemoryErasure
from memferry.model.token import Caller

# In one transaction: as many as a batch of a client.
_BATCH_ROWS = 500
_TENANTS = 100


class ExpirySweep:
    """Any number of sweeps may run at once: a memory is deleted by one of them."""

    def __init__(self, database: Database, memories: MemoryErasure) -> None:
        self._database = database
        self._memories = memories

    async def run(self) -> None:
        """Delete all that has expired, batch by batch."""
        while await self._delete_batch():
            pass

    async def _delete_batch(self) -> int:
        """Delete some memories of some tenants; answers how many, 0 at the end."""
        async with self._database.connection() as connection:
            tenants = await connection.fetch(sql("erasure/find_expired"), _BATCH_ROWS, _TENANTS)
        deleted = 0
        for row in tenants:
            deletion = await self._memories.delete_many(
                Caller(tenant_id=row["tenant_id"]), row["ids"], purge=False, via="expiry"
            )
            deleted += len(deletion.ids)
        return deleted
