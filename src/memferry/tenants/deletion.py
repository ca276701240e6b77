"""Deletes a tenant with all its rows and files; connects as the owner of the tables."""

import asyncio
from dataclasses import dataclass
from uuid import UUID

from memferry.database.pool import Connection
from memferry.database.retry import retry_conflicts
from memferry.database.sessions import owner_connection
from memferry.database.sql import sql
from memferry.errors import Invalid, StorageUnavailable
from memferry.model.job import tenant_prefix
from memferry.storage import Storage, remove_prefix
from memferry.telemetry import log_event

_BATCH_ROWS = 5_000
_ROUNDS = 60
_PAUSE_SECONDS = 0.5


@dataclass(frozen=True, kw_only=True)
class Removed:
    """The number of rows and files that a deletion removed."""

    rows: int
    files: int


class TenantDeletion:
    """Deletes tenants for the operator; `url` names the role that owns the tables.

    A deletion can be killed at any point and run again. First it closes the tenant, so that nobody
    adds anything; then it deletes rows in small transactions; then files, until the store lists
    none; and last the tenant's own row, by which all others are found.
    """

    def __init__(self, url: str, storage: Storage) -> None:
        self._url = url
        self._storage = storage

    @retry_conflicts
    async def delete(self, name: str) -> Removed:
        """Delete a tenant by its name.

        Raises Invalid if there is none, and StorageUnavailable if the store keeps files of it; the
        same call then continues the deletion, as it does after a kill.
        """
        async with owner_connection(self._url) as connection:
            tenant_id = await connection.fetchval(sql("tenants/begin_tenant_deletion"), name)
            if tenant_id is None:
                raise Invalid("tenant", "there is none by that name; see: memferry tenant list")
            rows = await _remove_rows(connection, tenant_id)
            files = await self._remove_files(tenant_prefix(tenant_id))
            async with connection.transaction():
                await connection.fetchval(sql("tenants/lock_tenant"), tenant_id)
                rows += await _remove_rows(connection, tenant_id)
                await connection.execute(sql("tenants/finish_tenant_deletion"), tenant_id)
        return Removed(rows=rows, files=files)

    async def _remove_files(self, prefix: str) -> int:
        """Remove all files below a prefix until the store lists none; answers their number.

        A worker that is writing there learns within about a second that its export has ended. The
        sweeper removes files that appear even later.
        """
        removed = 0
        for _ in range(_ROUNDS):
            count = await remove_prefix(self._storage, prefix)
            log_event("files.removed", files=count, prefix=prefix)
            if count == 0:
                await self._storage.prune(prefix)
                return removed
            removed += count
            await asyncio.sleep(_PAUSE_SECONDS)
        raise StorageUnavailable(f"the object store still holds files below {prefix}")


async def _remove_rows(connection: Connection, tenant_id: UUID) -> int:
    """Delete all rows of a tenant in batches; answers their number."""
    total = 0
    while removed := await connection.fetchval(
        sql("tenants/remove_tenant_rows"), tenant_id, _BATCH_ROWS
    ):
        total += removed
    return total
