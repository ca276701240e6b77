"""An export cut into parts between its records; each part is a whole file of the format.

Where a part ends depends on the records alone, not on the blocks in which they come: the same rows
give the same parts.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Protocol

from memferry.exports.pack.packed import ByteStream
from memferry.exports.pack.part import PartStream
from memferry.formats import Piece, TextFormat
from memferry.formats.record_ends import RecordEnds


class WholeFile(ByteStream, Protocol):
    """A file in one piece, as the records of an export come."""

    @property
    def rows_done(self) -> int:
        """How many records were handed out."""


class Splitter:
    """Hands out the records of an export part by part; of one part at a time."""

    def __init__(
        self, rows: WholeFile, format_: TextFormat, ends: RecordEnds, most_bytes: int
    ) -> None:
        """No part has more than `most_bytes`, unless it is a single record."""
        self._format = format_
        self._ends = ends
        self._separator = b"" if format_.ends_with_separator else format_.separator
        self._records = self._strip_edges(rows)
        # The last record has the tail in the place of its separator.
        edges = len(format_.head) + len(format_.tail) - len(self._separator)
        self._room = most_bytes - edges
        self._rest = b""
        self.is_done = False

    def start_part(self) -> PartStream:
        """The next part; the one before must have been iterated to its end."""
        return PartStream(self._read_part())

    async def aclose(self) -> None:
        """Stop reading."""
        await self._records.aclose()

    async def _read_part(self) -> AsyncIterator[Piece]:
        taken, before = 0, self._format.head
        while records := await self._take(taken):
            taken += len(records)
            yield Piece(self._ends.count(records), before + records.removesuffix(self._separator))
            before = self._separator
        # Without any row the head ends the file, as it does in one piece.
        end = b"" if taken else self._format.head.removesuffix(self._separator)
        yield Piece(0, end + self._format.tail)

    async def _take(self, taken_bytes: int) -> bytes:
        """The next records of a part that has so many bytes; none: it is at its end."""
        data = self._rest or await anext(self._records, b"")
        if not data:
            self.is_done = True
            return b""
        room = self._room - taken_bytes
        end = len(data) if len(data) <= room else self._ends.find_last(data, room)
        if end == 0 and taken_bytes == 0:
            end = self._ends.find_first(data)
        self._rest = data[end:]
        return data[:end]

    async def _strip_edges(self, rows: WholeFile) -> AsyncGenerator[bytes, None]:
        """The records of a whole file, with a separator after each: without head and tail."""
        held_back, is_first = b"", True
        async for data in rows:
            if is_first and data == self._format.head:
                is_first = False
                continue
            if held_back:
                yield held_back
            held_back, is_first = data, False
        if rows.rows_done:
            last = held_back[: len(held_back) - len(self._format.tail)]
            yield last + self._separator
