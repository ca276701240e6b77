"""Frames: many records in one value, as COPY sends them in binary format.

https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format".
"""

import struct
from collections.abc import Mapping
from typing import Any

from memferry.database.blocks import Block

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
# The number of columns; of each column its size and its value, of the last one only the size.
_PREFIX = struct.Struct(">hiiiqi")
_TRAILER = b"\xff\xff"


class FrameReader:
    """Unpacks frames; the records of a frame have the format's separator between them.

    A frame is a row of three columns: `number` (integer), which shows that frames come in order,
    `rows` (bigint), how many records it holds, and `records` (text).
    """

    def __init__(self, separator: bytes) -> None:
        self.copy_options: Mapping[str, Any] = {"format": "binary"}
        self._separator = separator
        self._pieces: list[memoryview] = []
        self._waiting_rows = 0
        self._rows = 0
        self._frames = 0
        self._number = 0
        self._rest = b""
        self._begun = False

    def take(self, data: bytes) -> None:
        """Unpack the frames that are whole; the rest waits for more data.

        Raises AssertionError if a frame comes before one that it follows.
        """
        data = self._rest + data if self._rest else data
        at = 0 if self._begun else len(_HEADER)
        self._begun = True
        view, end = memoryview(data), len(data)
        while end - at >= _PREFIX.size:
            _, _, number, _, rows, size = _PREFIX.unpack_from(data, at)
            start = at + _PREFIX.size
            if end - start < size:
                break
            if number < self._number:
                raise AssertionError(f"frame {number} came after frame {self._number}")
            at = start + size
            self._number = number
            self._frames += 1
            self._waiting_rows += rows
            self._pieces.append(view[start:at])
        self._rest = data[at:]

    def pop(self) -> Block:
        """All records unpacked since the last call, with a separator after each."""
        block = Block(self._waiting_rows, self._separator.join([*self._pieces, b""]))
        self._rows += block.rows
        self._pieces, self._waiting_rows = [], 0
        return block

    def end(self, copied: int) -> int:
        """The number of records; raises AssertionError unless COPY sent as many frames."""
        if (self._rest, self._frames) != (_TRAILER, copied):
            raise AssertionError(f"{self._frames} frames found of {copied} copied")
        return self._rows
