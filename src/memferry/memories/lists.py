"""Lists over all memories of a tenant: in any order, by thread, by equal content."""

from collections.abc import Mapping, Sequence
from typing import Any

from memferry.database.pool import Database
from memferry.database.sql import sql
from memferry.filters import Selection
from memferry.filters.orders import ListOrder
from memferry.memories.rendering import make_renderer
from memferry.memories.rows import Rows, bound_row_bytes
from memferry.model.token import Caller
from memferry.wire.lists import DUPLICATE_IDS

RECENT_ROWS = 10_000
"""Among so many memories the threads of a page are looked for, before all are read."""
# The place before the first thread: later than any, and negated for the order.
_FIRST_THREAD = (-(2**63), "", "")
_FIRST_DUPLICATE = (-1, "", "")


class MemoryLists:
    """The lists of every tenant, one caller per call."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list_ordered(
        self,
        caller: Caller,
        selection: Selection,
        order: ListOrder,
        *,
        limit: int,
        offset: int = 0,
        place: Sequence[Any] | None = None,
        total: int | None = None,
    ) -> tuple[Rows, int]:
        """The rows that match in an order, and how many match in all, both of one snapshot.

        A place is the time of the order and the id of the last row before. `total` is the number
        if it is known: to count costs as much as to read all, to go on costs one page.
        """
        statement, arguments = selection.fill(
            order.fill(sql("memories/list_memories")),
            *(limit, offset, bound_row_bytes(limit), *(place or order.start)),
        )
        async with self._database.tenant(caller, snapshot=True, heavy=True) as connection:
            records = await connection.fetch(statement, *arguments)
            if total is None:
                count, values = selection.fill(sql("memories/count_memories"))
                total = int(await connection.fetchval(count, *values))
        return Rows(records, make_renderer(self._database, caller)), total

    async def list_threads(
        self,
        caller: Caller,
        selection: Selection,
        *,
        limit: int,
        offset: int = 0,
        place: Sequence[Any] | None = None,
    ) -> list[Mapping[str, Any]]:
        """The threads of the rows that match, the one with the latest memory first.

        A place is the negated `last_at`, `parent_ref` and `namespace`; None: the beginning.
        """
        leading = (limit, offset, *(place or _FIRST_THREAD))
        recent, recent_arguments = selection.fill(
            sql("memories/list_recent_threads"), *leading, RECENT_ROWS
        )
        async with self._database.tenant(caller, heavy=True) as connection:
            threads = await connection.fetch(recent, *recent_arguments)
            if len(threads) < limit:
                statement, arguments = selection.fill(sql("memories/list_threads"), *leading)
                threads = await connection.fetch(statement, *arguments)
        return [dict(thread) for thread in threads]

    async def list_duplicates(
        self,
        caller: Caller,
        selection: Selection,
        *,
        limit: int,
        place: Sequence[Any] | None = None,
    ) -> list[Mapping[str, Any]]:
        """Groups of rows of equal content in one namespace, the one with the oldest row first.

        A place is `first_at`, `sha256` and `namespace`; None: the beginning.
        """
        statement, arguments = selection.fill(
            sql("memories/list_duplicates"), limit, DUPLICATE_IDS, *(place or _FIRST_DUPLICATE)
        )
        async with self._database.tenant(caller, heavy=True) as connection:
            return [dict(row) for row in await connection.fetch(statement, *arguments)]
