"""The limits of a tenant and their use, for `GET /api/limits`."""

from collections.abc import Mapping

from memferry.database.pool import Database
from memferry.database.sql import sql
from memferry.model.token import Caller
from memferry.settings import Quotas

Limit = Mapping[str, int | None]

# The columns of measure_usage, and the rates, whose use is not stored.
_SHOWN = (
    "memories",
    "memory_bytes",
    "webhooks",
    "projects",
    "waiting_messages",
    "waiting_message_bytes",
    "requests_per_minute",
    "audit_notes_per_minute",
    "exports_per_hour",
    "unfinished_exports",
    "stored_bytes",
)


class TenantLimits:
    """The quotas of a tenant by their names, and the use of each."""

    def __init__(self, database: Database, quotas: Quotas) -> None:
        self._database = database
        self._quotas = quotas

    async def show(self, caller: Caller) -> dict[str, Limit]:
        """Each limit with its use; None for the use of a rate, which is not stored."""
        per_hour = self._quotas.exports_per_hour
        async with self._database.tenant(caller, heavy=True) as connection:
            used = dict(await connection.fetchrow(sql("tenants/measure_usage"), per_hour) or {})
        return {
            name: {"limit": getattr(self._quotas, name), "used": used.get(name)} for name in _SHOWN
        }
