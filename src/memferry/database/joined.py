"""Many records in one value: what COPY sends of it in binary format.

https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format".
"""

import struct
from collections.abc import Iterator

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
# The number of columns, and of each column its size and value: of the last one the size alone.
_FRAME = struct.Struct(">hiiiqi")
_TRAILER = b"\xff\xff"


class Joined:
    """Takes off the frames of `export_joined`: its parts in order, each of so many records."""

    def __init__(self) -> None:
        self._records = 0
        self._parts = 0
        self._rest = b""
        self._begun = False

    def lines(self, data: bytes) -> Iterator[memoryview]:
        """The next parts, newlines between their records; what is not whole yet waits for more."""
        data = self._rest + data
        at = 0 if self._begun else len(_HEADER)
        self._begun = True
        view = memoryview(data)
        while len(data) - at >= _FRAME.size:
            _, _, number, _, records, size = _FRAME.unpack_from(data, at)
            start = at + _FRAME.size
            if len(data) - start < size:
                break
            if number != self._parts:
                raise AssertionError(f"part {number} came in the place of part {self._parts}")
            at = start + size
            self._parts += 1
            self._records += records
            yield view[start:at]
        self._rest = data[at:]

    def end(self, parts: int) -> int:
        """How many records they were; raises AssertionError if these were not all parts."""
        if (self._rest, self._parts) != (_TRAILER, parts):
            raise AssertionError(f"{self._parts} parts found of {parts} copied")
        return self._records
