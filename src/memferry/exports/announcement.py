"""Tells webhooks of exports that ran in their request.

Such an export is one transaction with one snapshot. The webhooks are told after it: deliveries are
noted in the rows of webhooks all the time, and a snapshot that must lock a row which has changed
since fails. The export says itself that nobody was told yet, so a sweep makes up for a killed
process.
"""

from uuid import UUID

import asyncpg

from memferry.database.pool import Database
from memferry.database.sql import sql
from memferry.errors import MemferryError
from memferry.telemetry import log_event

_TOLD_AT_ONCE = 500


class Announcements:
    """Tells of each completed export once, whoever comes first."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def tell(self, tenant_id: UUID, export_id: str) -> None:
        """Tell the tenant's webhooks; a failure is logged, and left to the next sweep."""
        try:
            async with self._database.tenant(tenant_id) as connection:
                await connection.execute(sql("exports/tell_completed"), export_id)
        except (MemferryError, asyncpg.PostgresError) as fault:
            log_event("announcement.deferred", export=export_id, reason=fault)

    async def tell_overdue(self) -> None:
        """Tell of exports whose process did not, some hundreds at a time."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(sql("exports/find_untold_exports"), _TOLD_AT_ONCE)
        for row in rows:
            await self.tell(row["tenant_id"], row["id"])
