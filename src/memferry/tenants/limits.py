"""Everything that is limited for each tenant, as the operator has set it."""

from collections.abc import Mapping

from memferry.database.pool import Database
from memferry.database.sql import sql
from memferry.model.token import Caller

Limit = Mapping[str, int | None]


class TenantLimits:
    """The limits, by what they limit, and the use of them."""

    def __init__(self, database: Database, limits: Mapping[str, int]) -> None:
        """`limits` are named as the columns of the statement that measures their use."""
        self._database = database
        self._limits = limits

    async def show(self, caller: Caller) -> dict[str, Limit]:
        """Each limit with what is used; None where only a rate is limited, which keeps nothing."""
        per_hour = self._limits["exports_per_hour"]
        async with self._database.tenant(caller, heavy=True) as connection:
            used = dict(await connection.fetchrow(sql("tenants/measure_usage"), per_hour) or {})
        return {
            name: {"limit": limit, "used": used.get(name)} for name, limit in self._limits.items()
        }
