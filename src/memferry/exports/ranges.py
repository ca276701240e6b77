"""One export read by several connections: ranges of its order, side by side, joined in turn.

The same rows give the same bytes as one COPY of all: each range is that COPY between two rows, and
all connections see one snapshot.
"""

import asyncio
from typing import LiteralString
from uuid import UUID

from memferry.database.copy import CopyOut, Part
from memferry.database.pool import UNLIMITED_SECONDS, Connection
from memferry.database.sql import sql
from memferry.exports.request import ExportRequest
from memferry.filters import Selection
from memferry.model.copy import CopyOptions

# Small enough that the ranges ahead of the reader fit into memory, large enough that finding the
# end of each, and a statement of its own, cost little.
_RANGE_BYTES = 6 * 1024 * 1024
# What a value of many rows holds, and if all of them were as large as the largest of their range;
# both sides hold it as a whole. Of fewer rows none is worth its own look at the index.
VALUE_BYTES, _LARGEST_VALUE_BYTES = 128 * 1024, 4 * 1024 * 1024
_FEWEST_JOINED = 8
# What rows may have that may_be_large() is not true of.
_UNMEASURED_BYTES = 16 * 1024
_JOINED = CopyOptions(format="binary")
_FIRST_ROWS, _FEWEST_ROWS, _MOST_ROWS = 2_000, 100, 50_000

Key = tuple[int, UUID]
"""A row's place in the order of exports: created_at and id."""
_FIRST_ID, _LAST_ID = UUID(int=0), UUID(int=2**128 - 1)
_FIRST_MS, _LAST_MS = -(2**63), 2**63 - 1


class Ranges:
    """Hands out one range after the other to whichever connection is free."""

    def __init__(self, request: ExportRequest, copy: CopyOut) -> None:
        self._request = request
        self._format = request.format
        self._copy = copy
        self._next: Key | None
        self._next, self._end = _whole_span(request.ranged)
        self._rows = _FIRST_ROWS
        self._planning = asyncio.Lock()

    async def read(self, connection: Connection) -> None:
        """Copy ranges until none is left."""
        while (begun := await self._begin(connection)) is not None:
            part, after, last = begun
            if each := await self._joined(connection, after, last):
                query = _query(self._request, "exports/export_joined", *after, *last, each)
                await part.copy(connection, *query, _JOINED)
            else:
                query = _query(self._request, "exports/export_range", *after, *last)
                await part.copy(connection, *query, self._format.copy)
            if part.rows:
                fitting = _RANGE_BYTES * part.rows // part.size_bytes
                self._rows = min(max(fitting, _FEWEST_ROWS), _MOST_ROWS)

    async def _begin(self, connection: Connection) -> tuple[Part, Key, Key] | None:
        """The next range: its part, the row it comes after, and its last row."""
        async with self._planning:
            if self._next is None:
                return None
            after = self._next
            last = await self._find_end(connection, after)
            part = await self._copy.part()
            self._next = last
            if last is None:
                await self._copy.end()
            return part, after, last or self._end

    async def _find_end(self, connection: Connection, after: Key) -> Key | None:
        statement, arguments = self._request.ranged.apply(
            sql("exports/find_range_end"), *after, *self._end, self._rows
        )
        row = await connection.fetchrow(statement, *arguments, timeout=UNLIMITED_SECONDS)
        return None if row is None else (row["created_at"], row["id"])

    async def _joined(self, connection: Connection, after: Key, last: Key) -> int:
        """How many rows of a range shall come in one value; 0 if each shall come by itself."""
        if not self._format.joins:
            return 0
        largest: int = (
            await connection.fetchval(
                sql("exports/measure_range"), *after, *last, timeout=UNLIMITED_SECONDS
            )
            or 0
        )
        largest = max(largest, _UNMEASURED_BYTES)
        return rows_of_value(_RANGE_BYTES // self._rows, largest)


def _whole_span(selection: Selection) -> tuple[Key, Key]:
    """After which row all that is meant comes, and the last place it may have."""
    after = (_FIRST_MS, _FIRST_ID)
    if selection.first_ms is not None:
        after = (selection.first_ms - 1, _LAST_ID)
    return after, (_LAST_MS if selection.last_ms is None else selection.last_ms, _LAST_ID)


def rows_of_value(mean_bytes: int, largest_bytes: int) -> int:
    """How many rows shall come in one value; 0 if each shall come by itself."""
    rows = min(VALUE_BYTES // max(mean_bytes, 1), _LARGEST_VALUE_BYTES // largest_bytes)
    return rows if rows >= _FEWEST_JOINED else 0


async def read_joined(
    connection: Connection, request: ExportRequest, records: CopyOut, each: int
) -> None:
    """All rows, so many in one value; the transaction must keep their order."""
    part = await records.part()
    after, last = _whole_span(request.ranged)
    query = _query(request, "exports/export_joined", *after, *last, each)
    await part.copy(connection, *query, _JOINED)
    await records.end()


def _query(
    request: ExportRequest, name: LiteralString, *leading: object
) -> tuple[str, list[object]]:
    statement, arguments = request.ranged.apply(sql(name), *leading)
    return statement.replace("{columns}", request.format.columns), arguments
