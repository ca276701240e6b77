"""What is in the audit, and what is noted there beside the changes that note themselves."""

import asyncio
import logging
from collections.abc import Sequence
from uuid import UUID

import asyncpg

from memferry.database.pool import Database
from memferry.database.sql import sql
from memferry.errors import MemferryError
from memferry.model.audit import Entry
from memferry.model.token import Caller

_log = logging.getLogger("memferry.audit")


class Audit:
    """The audit of every tenant, one caller per call."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._running: set[asyncio.Task[None]] = set()

    async def page(
        self, caller: Caller, *, limit: int, before: UUID | None, event: str | None
    ) -> Sequence[asyncpg.Record]:
        """The entries that came before one, newest first: each its `id`, and as JSON its `row`."""
        async with self._database.tenant(caller) as connection:
            return await connection.fetch(sql("list_audit"), limit, event, before)

    async def note(self, caller: Caller, entry: Entry) -> None:
        """Note it in a transaction of its own. What cannot be is logged, and breaks nothing."""
        try:
            async with self._database.tenant(caller) as connection:
                await connection.execute(
                    sql("note_event"),
                    entry.event,
                    entry.outcome,
                    entry.subject,
                    entry.size_bytes,
                    entry.detail,
                )
        except (MemferryError, asyncpg.PostgresError) as fault:
            _log.error(
                "not in the audit: %s of tenant %s, token %s, subject %s, outcome %s: %s",
                *(entry.event, caller.tenant_id, caller.token_id, entry.subject, entry.outcome),
                fault,
            )

    def note_soon(self, caller: Caller, entry: Entry) -> None:
        """As `note`, for one that cannot wait since its request is being torn down."""
        task = asyncio.create_task(self.note(caller, entry))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def aclose(self) -> None:
        """Wait for what was to be noted soon."""
        if self._running:
            await asyncio.wait(self._running)
