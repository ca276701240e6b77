"""The audit: reads its entries, and writes those that no statement of a change writes itself."""

import asyncio
from collections.abc import Coroutine, Sequence
from uuid import UUID

import asyncpg

from memferry.audit.entry_counts import EntryCounts
from memferry.database.pool import Database
from memferry.database.sql import sql
from memferry.errors import MemferryError
from memferry.model.audit import Entry
from memferry.model.token import Caller
from memferry.request_rate import RequestRate
from memferry.telemetry import log_event

_COUNTED_SECONDS = 60


class Audit:
    """The audit of every tenant, one caller per call."""

    def __init__(self, database: Database, rate: RequestRate | None = None) -> None:
        """`rate` limits the entries of a tenant that are written one by one; None: all are."""
        self._database = database
        self._rate = rate
        self._counts = EntryCounts()
        self._running: set[asyncio.Task[None]] = set()

    async def list_page(
        self, caller: Caller, *, limit: int, before: UUID | None, event: str | None
    ) -> Sequence[asyncpg.Record]:
        """The entries before the entry `before`, newest first: `id`, and `row` as JSON text."""
        async with self._database.tenant(caller) as connection:
            return await connection.fetch(sql("audit/list_audit"), limit, event, before)

    async def count_downloads(
        self, caller: Caller, export_ids: Sequence[str], since_ms: int
    ) -> dict[str, int]:
        """How often the bytes of some exports were downloaded, of those that were at all.

        `since_ms` is when the first of them was created.
        """
        async with self._database.tenant(caller) as connection:
            rows = await connection.fetch(sql("audit/count_downloads"), list(export_ids), since_ms)
        return {row["subject"]: row["downloads"] for row in rows}

    async def list_downloads(
        self, caller: Caller, export_id: str, since_ms: int, *, limit: int
    ) -> Sequence[asyncpg.Record]:
        """The downloads of one export and the links to it, newest first.

        `since_ms` is when it was created.
        """
        async with self._database.tenant(caller) as connection:
            return await connection.fetch(sql("audit/list_downloads"), export_id, since_ms, limit)

    async def record(self, caller: Caller, entry: Entry) -> None:
        """Write an entry in a transaction of its own; a failure is logged and raises nothing.

        Entries beyond the rate are counted, and written as one entry within a minute.
        """
        if self._rate is None or self._rate.take(caller.tenant_id) == 0:
            await self._write(caller, entry)
            return
        if not self._counts:
            loop = asyncio.get_running_loop()
            loop.call_later(_COUNTED_SECONDS, lambda: self._start(self._write_counts()))
        self._counts.add(caller, entry)

    async def _write_counts(self) -> None:
        for caller, entry in self._counts.take():
            await self._write(caller, entry)

    async def _write(self, caller: Caller, entry: Entry) -> None:
        try:
            async with self._database.tenant(caller) as connection:
                await connection.execute(
                    sql("audit/create_entry"),
                    entry.event,
                    entry.outcome,
                    entry.subject,
                    entry.size_bytes,
                    entry.detail,
                    entry.times,
                )
        except (MemferryError, asyncpg.PostgresError) as fault:
            log_event(
                "audit.missed",
                entry=entry.event,
                tenant=caller.tenant_id,
                token=caller.token_id,
                subject=entry.subject,
                outcome=entry.outcome,
                reason=fault,
            )

    def record_soon(self, caller: Caller, entry: Entry) -> None:
        """Write an entry in a task, for a request that is being cancelled and cannot wait."""
        self._start(self.record(caller, entry))

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def aclose(self) -> None:
        """Write all counted entries, and wait for those being written."""
        self._start(self._write_counts())
        await asyncio.wait(self._running)
