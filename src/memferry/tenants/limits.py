"""Everything that is limited for each tenant, as the operator has set it."""

from collections.abc import Mapping

from memferry.database.pool import Database
from memferry.database.sql import sql
from memferry.model.token import Caller
from memferry.settings import Quotas

Limit = Mapping[str, int | None]

# The columns of the statement that measures their use, and the rates, which keep nothing.
_SHOWN = (
    "memories",
    "memory_bytes",
    "webhooks",
    "waiting_messages",
    "waiting_message_bytes",
    "requests_per_minute",
    "audit_notes_per_minute",
    "exports_per_hour",
    "unfinished_exports",
    "stored_bytes",
)


class TenantLimits:
    """The limits, by what they limit, and the use of them."""

    def __init__(self, database: Database, quotas: Quotas) -> None:
        self._database = database
        self._quotas = quotas

    async def show(self, caller: Caller) -> dict[str, Limit]:
        """Each limit with what is used; None where only a rate is limited, which keeps nothing."""
        async with self._database.tenant(caller, heavy=True) as connection:
            used = dict(await connection.fetchrow(sql("tenants/measure_usage")) or {})
        return {
            name: {"limit": getattr(self._quotas, name), "used": used.get(name)} for name in _SHOWN
        }
