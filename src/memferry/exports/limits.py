"""How much of the service one tenant may take with its exports."""

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
from memferry.settings import Quotas


class ExportLimits:
    """Counts the exports of each tenant, and refuses what is more than its quota."""

    def __init__(self, database: Database, quotas: Quotas) -> None:
        self._database = database
        self._quotas = quotas

    @retry_conflicts
    async def start(self, tenant_id: UUID, key: str | None) -> None:
        """Count an export that is asked for; raises LimitReached.

        A bucket holds `per_hour` exports and regains as many in an hour. An export that is refused
        later on or deleted counts as well; a repeat of a known idempotency key counts nothing.
        """
        # All exports of the tenant count, also those that the caller's token may not see.
        async with self._database.tenant(Caller(tenant_id=tenant_id)) as connection:
            row = await connection.fetchrow(
                sql("exports/start_export"),
                key,
                self._quotas.exports_per_hour,
                self._quotas.unfinished_exports,
                self._quotas.stored_bytes,
            )
        if row is not None and row["reached"] is not None:
            raise self._make_refusal(row["reached"], row["seconds"])

    def check_rows(self, rows: int) -> None:
        """Raises ExportTooLarge for more rows than one export may have."""
        most = self._quotas.export_rows
        if rows > most:
            raise ExportTooLarge(
                f"The export would have {rows:,} rows, and {most:,} is the limit; "
                "ask for fewer at a time, for instance by created_after and created_before."
            )

    def _make_refusal(self, reached: str, seconds: int) -> LimitReached:
        if reached == "per_hour":
            return TooManyExports(self._quotas.exports_per_hour, seconds)
        if reached == "unfinished":
            return TooManyUnfinishedExports(self._quotas.unfinished_exports, seconds)
        return TooManyStoredBytes(self._quotas.stored_bytes, seconds)
