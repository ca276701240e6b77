"""Frames by columns, and groups of them that end after rows, wherever the frames end.

A frame is what PostgreSQL's record_send makes of a row: the number of its values, and of each its
type, its size and its bytes; the size of null is -1. A column is one value, the bytes of all its
rows; before those of texts comes another one, their lengths: four bytes each, -1 for null. Numbers
have the most significant byte first.
"""

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

_INT = struct.Struct(">i")


@dataclass(frozen=True, slots=True)
class Cells:
    """The values of one column in some rows."""

    data: memoryview
    lengths: memoryview
    """Of texts; of others nothing."""


Frame: TypeAlias = Sequence[Cells]
"""Some rows: one entry per column."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How the values of a column lie one after the other."""

    measure: Callable[[Cells], Sequence[int]]
    """How many of the bytes are of each row."""
    has_lengths: bool = False

    def take(self, values: Iterator[memoryview]) -> Cells:
        """Take the values of a column from those of a frame."""
        lengths = next(values) if self.has_lengths else memoryview(b"")
        return Cells(next(values), lengths)

    def cut(self, cells: Cells, rows: int) -> tuple[Cells, Cells]:
        """The first rows, and the others."""
        at, lengths_at = sum(self.measure(cells)[:rows]), rows * _INT.size
        return (
            Cells(cells.data[:at], cells.lengths[:lengths_at]),
            Cells(cells.data[at:], cells.lengths[lengths_at:]),
        )


def _measure_texts(cells: Cells) -> Sequence[int]:
    return tuple(max(length, 0) for (length,) in _INT.iter_unpack(cells.lengths))


def _measure_lines(cells: Cells) -> Sequence[int]:
    return tuple(len(line) + 1 for line in bytes(cells.data).split(b"\n")[:-1])


TEXTS = Kind(_measure_texts, has_lengths=True)
"""Texts or nulls, of any length."""
LINES = Kind(_measure_lines)
"""Texts without line breaks, each with one at its end."""


def make_fixed_kind(width: int) -> Kind:
    """Values that all have so many bytes."""
    return Kind(lambda cells: (width,) * (len(cells.data) // width))


def split_frames(records: bytes, kinds: Sequence[Kind]) -> Iterator[Frame]:
    """The frames in some whole ones, with one column of each kind."""
    values, at = sum(1 + kind.has_lengths for kind in kinds), 0
    while at < len(records):
        frame, at = _split_values(records, at, values)
        parts = iter(frame)
        yield [kind.take(parts) for kind in kinds]


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
    """Rows of frames: as many as have so many bytes, but at least one."""

    kinds: Sequence[Kind]
    most_bytes: int
    most_rows: int
    rows: int = 0
    size_bytes: int = 0
    _frames: list[Frame] = field(default_factory=list)

    def add(self, frame: Frame) -> Frame | None:
        """Take those rows of a frame that belong to the group; answers the others, if any.

        Then the group is whole.
        """
        rows = len(self.kinds[0].measure(frame[0]))
        size_bytes = sum(len(cells.data) for cells in frame)
        if self.size_bytes + size_bytes <= self.most_bytes and self.rows + rows <= self.most_rows:
            self._append(frame, rows, size_bytes)
            return None
        fitting, size_bytes = self._count_fitting(frame)
        columns = zip(self.kinds, frame, strict=True)
        heads, rests = zip(*(kind.cut(cells, fitting) for kind, cells in columns), strict=True)
        self._append(heads, fitting, size_bytes)
        return rests if fitting < rows else None

    def _append(self, frame: Frame, rows: int, size_bytes: int) -> None:
        self._frames.append(frame)
        self.rows += rows
        self.size_bytes += size_bytes

    def _count_fitting(self, frame: Frame) -> tuple[int, int]:
        """How many rows of the frame belong to the group, and their bytes."""
        fitting = size_bytes = 0
        columns = zip(self.kinds, frame, strict=True)
        for sizes in zip(*(kind.measure(cells) for kind, cells in columns), strict=True):
            rows, row_bytes = self.rows + fitting, sum(sizes)
            if rows and (
                rows == self.most_rows or self.size_bytes + size_bytes + row_bytes > self.most_bytes
            ):
                break
            fitting += 1
            size_bytes += row_bytes
        return fitting, size_bytes

    def join_data(self, column: int) -> bytes:
        """The bytes of one column."""
        return b"".join([frame[column].data for frame in self._frames])

    def join_lengths(self, column: int) -> bytes:
        """The lengths of one column of texts."""
        return b"".join([frame[column].lengths for frame in self._frames])
