"""How much of the service one tenant may take with its exports."""

from dataclasses import dataclass
from uuid import UUID

from memferry.database.pool import Database
from memferry.database.retry import retry_conflicts
from memferry.database.sql import sql
from memferry.errors import (
    ExportTooLarge,
    LimitReached,
    TooManyExports,
    TooManyStoredBytes,
    TooManyUnfinishedExports,
)
from memferry.model.token import Caller


@dataclass(frozen=True, kw_only=True)
class ExportLimits:
    """What one tenant may have; what one export may be."""

    per_hour: int = 3600
    unfinished: int = 1000
    stored_bytes: int = 100 * 1024**3
    rows: int = 100_000_000

    @retry_conflicts
    async def start(self, database: Database, tenant_id: UUID, key: str | None) -> None:
        """Count an export that is asked for; raises LimitReached.

        A bucket holds `per_hour` exports and regains as many in an hour. An export that is refused
        later on or deleted counts as well; a repeat of a known idempotency key counts nothing.
        """
        # All exports of the tenant count, also those that the caller's token may not see.
        async with database.tenant(Caller(tenant_id=tenant_id)) as connection:
            row = await connection.fetchrow(
                sql("exports/start_export"), key, self.per_hour, self.unfinished, self.stored_bytes
            )
        if row is not None and row["reached"] is not None:
            raise self._refusal(row["reached"], row["seconds"])

    def check_rows(self, rows: int) -> None:
        """Raises ExportTooLarge for more rows than one export may have."""
        if rows > self.rows:
            raise ExportTooLarge(
                f"The export would have {rows:,} rows, and {self.rows:,} is the limit; "
                "ask for fewer at a time, for instance by created_after and created_before."
            )

    def _refusal(self, reached: str, seconds: int) -> LimitReached:
        if reached == "per_hour":
            return TooManyExports(self.per_hour, seconds)
        if reached == "unfinished":
            return TooManyUnfinishedExports(self.unfinished, seconds)
        return TooManyStoredBytes(self.stored_bytes, seconds)
