"""Deleting a tenant with all its rows and files, as the owner of the tables."""

import asyncio
import logging
from dataclasses import dataclass
from uuid import UUID

from memferry.database.pool import Connection
from memferry.database.retry import retry_conflicts
from memferry.database.sessions import owner_connection
from memferry.database.sql import sql
from memferry.errors import Invalid, StorageUnavailable
from memferry.model.export import tenant_prefix
from memferry.storage import Storage

_log = logging.getLogger("memferry.tenants")
_BATCH_ROWS = 5_000
_LOOKS = 60
_PAUSE_SECONDS = 0.5


@dataclass(frozen=True, kw_only=True)
class Removed:
    """What a deletion has removed."""

    rows: int
    files: int


class TenantDeletion:
    """Operator command; `url` must belong to the owner of the tables.

    A deletion can be killed at any point and run again, because of its order: first nobody can add
    anything, then rows go in small transactions, then files until the store shows none, and the
    tenant's own row, by which all of this is found, goes last.
    """

    def __init__(self, url: str, storage: Storage) -> None:
        self._url = url
        self._storage = storage

    @retry_conflicts
    async def delete(self, name: str) -> Removed:
        """Delete a tenant; raises Invalid if there is none by that name.

        Raises StorageUnavailable if the store keeps showing files; then, as after a
        kill, the same call goes on where this one ended.
        """
        async with owner_connection(self._url) as connection:
            tenant_id = await connection.fetchval(sql("tenants/begin_tenant_deletion"), name)
            if tenant_id is None:
                raise Invalid("tenant", "there is none by that name; see: memferry tenant list")
            rows = await _remove_rows(connection, tenant_id)
            files = await self._remove_files(tenant_prefix(tenant_id))
            async with connection.transaction():
                await connection.fetchval(sql("tenants/hold_tenant"), tenant_id)
                rows += await _remove_rows(connection, tenant_id)
                await connection.execute(sql("tenants/finish_tenant_deletion"), tenant_id)
        return Removed(rows=rows, files=files)

    async def _remove_files(self, prefix: str) -> int:
        """Remove everything below a prefix until the store shows nothing more; answers how many.

        A worker that was writing there finds its export ended within about a second. The sweeper
        removes files that come later still.
        """
        await self._storage.ping()  # a store that is away shows nothing, too
        removed = 0
        for _ in range(_LOOKS):
            count = await self._remove_once(prefix)
            if count == 0:
                await self._storage.prune(prefix)
                return removed
            removed += count
            await asyncio.sleep(_PAUSE_SECONDS)
        raise StorageUnavailable(f"the object store still holds files below {prefix}")

    async def _remove_once(self, prefix: str) -> int:
        """Uploads first: one that is finished meanwhile is listed among the files."""
        count = 0
        async for upload in self._storage.unfinished(prefix):
            await self._storage.abort(upload)
            count += 1
        async for info in self._storage.list(prefix):
            await self._storage.delete(info.key)
            count += 1
        _log.info("removed %d files and uploads below %s", count, prefix)
        return count


async def _remove_rows(connection: Connection, tenant_id: UUID) -> int:
    """Remove all rows of a tenant in batches; answers how many."""
    total = 0
    while removed := await connection.fetchval(
        sql("tenants/remove_tenant_rows"), tenant_id, _BATCH_ROWS
    ):
        total += removed
    return total
