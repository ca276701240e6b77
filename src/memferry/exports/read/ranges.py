"""One export read by several connections: ranges of its order, side by side, handed on in turn.

The same rows give the same bytes as one statement over all: all connections see one snapshot, and
each range is that statement between two rows.
"""

import asyncio
from dataclasses import replace

from memferry.database.copy import BlockStream, Segment
from memferry.database.pool import UNLIMITED_SECONDS, Connection
from memferry.exports.read.plan import Frames, Plan
from memferry.exports.read.queries import Key, Range, query_range, query_range_end
from memferry.exports.read.statement import open_copy_reader
from memferry.exports.request import ExportRequest

# Small enough that the ranges ahead of the consumer fit into memory, large enough that finding the
# end of each, and a statement of its own, cost little.
_RANGE_BYTES = 6 * 1024 * 1024
# One connection has no range ahead of the consumer, and reads nothing between two of them.
_LONE_RANGE_BYTES = 64 * 1024 * 1024
_FIRST_ROWS, _FEWEST_ROWS, _MOST_ROWS = 2_000, 100, 50_000


class Ranges:
    """Hands out one range after the other to whichever connection is free."""

    def __init__(
        self, request: ExportRequest, plan: Plan, blocks: BlockStream, *, alone: bool
    ) -> None:
        """`alone` says that a single connection reads them all."""
        self._request = request
        self._range_bytes = _LONE_RANGE_BYTES if alone else _RANGE_BYTES
        self._frames = plan.frames
        self._blocks = blocks
        self._rest: Range | None = Range.whole(request.range_selection)
        self._rows = _FIRST_ROWS
        self._planning = asyncio.Lock()

    async def read(self, connection: Connection) -> None:
        """Copy ranges until none is left."""
        while (next_range := await self._take_next(connection)) is not None:
            segment, range_ = next_range
            query = query_range(self._request, range_, self._frames)
            await segment.copy(connection, *query, open_copy_reader(self._request.format))
            await segment.end()
            self._adapt(segment)

    def _adapt(self, segment: Segment) -> None:
        """Let the ranges that follow have rows for the sizes that this one had."""
        if not segment.rows:
            return
        fitting = self._range_bytes * segment.rows // segment.size_bytes
        self._rows = min(max(fitting, _FEWEST_ROWS), _MOST_ROWS)
        if self._frames is not None:
            self._frames = Frames.for_rows(segment.size_bytes // segment.rows)

    async def _take_next(self, connection: Connection) -> tuple[Segment, Range] | None:
        async with self._planning:
            if self._rest is None:
                return None
            range_ = self._rest
            end = await self._find_end(connection, range_)
            segment = await self._blocks.add_segment()
            self._rest = None if end is None else replace(range_, after=end)
            if end is None:
                await self._blocks.end()
            return segment, replace(range_, last=end or range_.last)

    async def _find_end(self, connection: Connection, range_: Range) -> Key | None:
        statement, arguments = query_range_end(self._request, range_, self._rows)
        row = await connection.fetchrow(statement, *arguments, timeout=UNLIMITED_SECONDS)
        return None if row is None else (row["created_at"], row["id"])
