"""What is in the audit, and what is noted there beside the changes that note themselves."""

import asyncio
from collections.abc import Coroutine, Sequence
from uuid import UUID

import asyncpg

from memferry.audit.counted import Counted
from memferry.database.pool import Database
from memferry.database.sql import sql
from memferry.errors import MemferryError
from memferry.model.audit import Entry
from memferry.model.token import Caller
from memferry.pace import Pace
from memferry.telemetry import log_event

_COUNTED_SECONDS = 60


class Audit:
    """The audit of every tenant, one caller per call."""

    def __init__(self, database: Database, pace: Pace | None = None) -> None:
        """`pace` is how many entries of a tenant are noted one by one; unset: all of them."""
        self._database = database
        self._pace = pace
        self._counted = Counted()
        self._running: set[asyncio.Task[None]] = set()

    async def page(
        self, caller: Caller, *, limit: int, before: UUID | None, event: str | None
    ) -> Sequence[asyncpg.Record]:
        """The entries that came before one, newest first: each its `id`, and as JSON its `row`."""
        async with self._database.tenant(caller) as connection:
            return await connection.fetch(sql("audit/list_audit"), limit, event, before)

    async def note(self, caller: Caller, entry: Entry) -> None:
        """Note it in a transaction of its own. What cannot be is logged, and breaks nothing.

        What comes faster than the pace allows is counted, and noted within a minute.
        """
        if self._pace is None or self._pace.take(caller.tenant_id) == 0:
            await self._write(caller, entry)
            return
        if not self._counted:
            loop = asyncio.get_running_loop()
            loop.call_later(_COUNTED_SECONDS, lambda: self._start(self._write_counted()))
        self._counted.add(caller, entry)

    async def _write_counted(self) -> None:
        for caller, entry in self._counted.take():
            await self._write(caller, entry)

    async def _write(self, caller: Caller, entry: Entry) -> None:
        try:
            async with self._database.tenant(caller) as connection:
                await connection.execute(
                    sql("audit/note_event"),
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

    def note_soon(self, caller: Caller, entry: Entry) -> None:
        """As `note`, for one that cannot wait since its request is being torn down."""
        self._start(self.note(caller, entry))

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def aclose(self) -> None:
        """Note what was counted, and what was to be noted soon."""
        self._start(self._write_counted())
        await asyncio.wait(self._running)
