"""Frames by columns, and groups of them that end after rows, wherever the frames end.

A frame is what PostgreSQL's record_send makes of a row: the number of its values, and of each its
type, its size and its bytes; the size of null is -1. Of a text there are two values, the lengths of
all rows (four bytes each, -1 for null) and their bytes one after the other; of a time there is one,
eight bytes for each row. Numbers have the most significant byte first.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

_INT = struct.Struct(">i")
_TIME_BYTES = 8


@dataclass(frozen=True, slots=True)
class Cells:
    """The values of one column in some rows."""

    data: memoryview
    lengths: memoryview | None = None
    """Of texts; None: they are times."""

    @property
    def rows(self) -> int:
        """How many rows they are of."""
        if self.lengths is None:
            return len(self.data) // _TIME_BYTES
        return len(self.lengths) // _INT.size

    def read_lengths(self) -> tuple[int, ...]:
        """The bytes of each text; 0 for null, and of times, whose size says nothing."""
        if self.lengths is None:
            return (0,) * self.rows
        return tuple(max(length, 0) for (length,) in _INT.iter_unpack(self.lengths))

    def cut(self, rows: int) -> tuple["Cells", "Cells"]:
        """The first rows, and the others."""
        if self.lengths is None:
            at = rows * _TIME_BYTES
            return Cells(self.data[:at]), Cells(self.data[at:])
        at, lengths_at = sum(self.read_lengths()[:rows]), rows * _INT.size
        return (
            Cells(self.data[:at], self.lengths[:lengths_at]),
            Cells(self.data[at:], self.lengths[lengths_at:]),
        )


Frame = Sequence[Cells]
"""Some rows: one entry per column."""


def split_frames(records: bytes, texts: Sequence[bool]) -> Iterator[Frame]:
    """The frames in some whole ones; `texts` says of each column whether it is one of texts."""
    values, at = sum(1 + text for text in texts), 0
    while at < len(records):
        frame, at = _split_values(records, at, values)
        parts = iter(frame)
        yield [
            Cells(lengths=next(parts), data=next(parts)) if text else Cells(next(parts))
            for text in texts
        ]


def _split_values(records: bytes, at: int, count: int) -> tuple[list[memoryview], int]:
    if _INT.unpack_from(records, at)[0] != count:
        raise AssertionError(f"a frame without {count} values")
    view, values = memoryview(records), []
    at += _INT.size
    for _ in range(count):
        (size,) = _INT.unpack_from(records, at + _INT.size)
        start = at + 2 * _INT.size
        at = start + max(size, 0)
        values.append(view[start:at])
    return values, at


@dataclass(kw_only=True)
class FrameGroup:
    """Rows of frames: as many as have so many bytes of text, but at least one."""

    most_bytes: int
    most_rows: int
    rows: int = 0
    text_bytes: int = 0
    _frames: list[Frame] = field(default_factory=list)

    def add(self, frame: Frame) -> Frame | None:
        """Take those rows of a frame that belong to the group; answers the others, if any.

        Then the group is whole.
        """
        rows, text_bytes = frame[0].rows, sum(len(cells.data) for cells in frame if cells.lengths)
        if self.text_bytes + text_bytes <= self.most_bytes and self.rows + rows <= self.most_rows:
            self._append(frame, rows, text_bytes)
            return None
        fitting, text_bytes = self._count_fitting(frame)
        heads, rests = zip(*(cells.cut(fitting) for cells in frame), strict=True)
        self._append(heads, fitting, text_bytes)
        return rests if fitting < rows else None

    def _append(self, frame: Frame, rows: int, text_bytes: int) -> None:
        self._frames.append(frame)
        self.rows += rows
        self.text_bytes += text_bytes

    def _count_fitting(self, frame: Frame) -> tuple[int, int]:
        """How many rows of the frame belong to the group, and their bytes."""
        fitting = text_bytes = 0
        for lengths in zip(*(cells.read_lengths() for cells in frame), strict=True):
            rows, row_bytes = self.rows + fitting, sum(lengths)
            if rows and (
                rows == self.most_rows or self.text_bytes + text_bytes + row_bytes > self.most_bytes
            ):
                break
            fitting += 1
            text_bytes += row_bytes
        return fitting, text_bytes

    def join_data(self, column: int) -> bytes:
        """The bytes of one column."""
        return b"".join([frame[column].data for frame in self._frames])

    def join_lengths(self, column: int) -> bytes:
        """The lengths of one column of texts."""
        return b"".join([frame[column].lengths or b"" for frame in self._frames])
