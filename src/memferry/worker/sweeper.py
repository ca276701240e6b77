"""Removes what nobody needs: expired exports, files and uploads of dead attempts, old notes."""

import logging
import re
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from typing import TypeVar
from uuid import UUID

from memferry.database.pool import Database
from memferry.database.sql import sql
from memferry.storage import Storage
from memferry.worker.attendance import Attendance

_log = logging.getLogger("memferry.worker")
_PAGE = 500
# Of each webhook.
_LOGGED_DELIVERIES = 10_000
_KEY = re.compile(
    r"(?P<tenant>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/(?P<export>[0-9A-Z]{26})/(?P<attempt>[0-9]{1,9})"
)
_Item = TypeVar("_Item")


class Sweeper:
    """Any number of these may run side by side: each removal is one that can be made twice.

    Whether a stored thing is dead is asked after it was seen, and never changes back: what was
    written by an attempt that is over, and is not the file of its export, can never become it.
    """

    def __init__(
        self,
        database: Database,
        storage: Storage,
        *,
        attendance: Attendance | None = None,
    ) -> None:
        """`attendance` looks at the store before each sweep."""
        self._attendance = attendance
        self._database = database
        self._storage = storage

    async def tick(self) -> bool:
        """Sweep once, through everything; False, since the next sweep can wait."""
        if self._attendance is None or await self._attendance.holds_right_store():
            await self._expire()
            await self._remove_objects()
            await self._abort_uploads()
        async with self._database.connection() as connection:
            await connection.execute(sql("worker/forget_idempotency_keys"))
            await connection.execute(sql("worker/forget_deliveries"), _LOGGED_DELIVERIES)
            await connection.execute(sql("worker/forget_messages"))
            await connection.execute(sql("worker/forget_workers"))
        return False

    async def _expire(self) -> None:
        """Let go of what is past its time. A file is removed after its row says so."""
        full_page = True
        while full_page:
            async with self._database.connection() as connection:
                rows = await connection.fetch(sql("worker/expire_exports"), _PAGE)
            for row in rows:
                if row["object_key"] is not None:
                    await self._storage.delete(row["object_key"])
            full_page = len(rows) == _PAGE

    async def _remove_objects(self) -> None:
        async for page in _pages(self._storage.list("")):
            for key in await self._dead([(info.key, info.key) for info in page]):
                _log.info("removing %s, which no export needs", key)
                await self._storage.delete(key)

    async def _abort_uploads(self) -> None:
        async for page in _pages(self._storage.list_uploads("")):
            dead = await self._dead([(upload.id, upload.key) for upload in page])
            for upload in page:
                if upload.id in dead:
                    _log.info("aborting an upload to %s, whose writer is gone", upload.key)
                    await self._storage.abort(upload)

    async def _dead(self, named_keys: Sequence[tuple[str, str]]) -> set[str]:
        """The names of those whose key belongs to no attempt that runs and no published file."""
        found = [(name, _KEY.fullmatch(key)) for name, key in named_keys]
        ours = [(name, match) for name, match in found if match is not None]
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                sql("worker/find_dead_objects"),
                [name for name, _ in ours],
                [UUID(match["tenant"]) for _, match in ours],
                [match["export"] for _, match in ours],
                [int(match["attempt"]) for _, match in ours],
            )
        return {row["name"] for row in rows}


async def _pages(items: AsyncIterable[_Item]) -> AsyncIterator[list[_Item]]:
    page: list[_Item] = []
    async for item in items:
        page.append(item)
        if len(page) == _PAGE:
            yield page
            page = []
    if page:
        yield page
