"""The encoder of Parquet files: frames by columns in, row groups out.

Where a row group ends depends on the rows alone, and never on the frames in which they came: the
same rows give the same bytes.
"""

import io
import sys
from array import array
from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json
import pyarrow.parquet as pq

from memferry.formats.base import Piece
from memferry.formats.column_frames import (
    LINES,
    TEXTS,
    FrameGroup,
    Kind,
    make_fixed_kind,
    split_frames,
)
from memferry.formats.variant import TIMES

# A row group ends before the row that makes it larger. One lies in memory, as frames, as columns
# and as compressed pages.
_GROUP_BYTES = 6 * 1024 * 1024
_GROUP_ROWS = 128 * 1024
# Of a file that is a part, a row group is a small piece.
_GROUPS_PER_PART = 8
# What a row group takes beyond its values, at most: a row their lengths, a page its header, and
# a column its chunk in the footer with a least and a greatest value.
_ROW_BYTES, _HEADER_BYTES, _FOOTER_BYTES = 64, 64 * 1024, 16 * 1024
# Arrow looks for the end of a page each so many rows. It holds the pages of all columns.
_PAGE_BYTES, _PAGE_ROWS = 128 * 1024, 1024
_TAGS = pa.list_(pa.field("element", pa.string(), nullable=False))
_TIME, _TIME_BYTES = pa.timestamp("ms", tz="UTC"), 8
_ID = pa.binary(36)
_NULLABLE = ("source_ref", "metadata", "expires_at")
# Fields of few different values: a reader gets each of them once per row group.
_DICTIONARIES = ["namespace", "source", "tags.list.element"]
_STATISTICS = ["id", "namespace", "source", "created_at", "updated_at"]


# Made of bytes: from a number, Arrow would look for pandas, and load it.
_ZERO = pa.Array.from_buffers(pa.int32(), 1, [None, pa.py_buffer(bytes(4))])


class ParquetEncoder:
    """Gathers frames until they are a row group; zstd compresses each column of it."""

    def __init__(self, fields: Sequence[str], most_bytes: int | None = None) -> None:
        """`most_bytes` is where a file ends and a next one begins; None: nowhere."""
        self._fields = fields
        self._kinds = [_find_kind(field) for field in fields]
        self._most_bytes = most_bytes
        self._schema = pa.schema([describe_column(field) for field in fields])
        self._start_group()
        self._start_file()

    def encode(self, records: bytes) -> Iterator[Piece]:
        """The row groups that have become whole."""
        for frame in split_frames(records, self._kinds):
            rest = self._group.add(frame)
            while rest is not None:
                yield from self._write_group()
                rest = self._group.add(rest)

    def finish(self) -> Iterator[Piece]:
        """The last row group and the footer."""
        if self._group.rows:
            yield from self._write_group()
        self._writer.close()
        yield Piece(0, self._file.take())

    def close(self) -> None:
        """End Arrow's writer."""
        self._writer.close()

    def _start_file(self) -> None:
        self._groups = 0
        self._file = _Pieces()
        self._writer = pq.ParquetWriter(
            self._file,
            self._schema,
            compression="zstd",
            compression_level=1,
            use_dictionary=_DICTIONARIES,
            write_statistics=_STATISTICS,
            data_page_size=_PAGE_BYTES,
            write_batch_size=_PAGE_ROWS,
        )

    def _start_group(self) -> None:
        most = self._most_bytes
        group_bytes = _GROUP_BYTES if most is None else min(_GROUP_BYTES, most // _GROUPS_PER_PART)
        self._group = FrameGroup(kinds=self._kinds, most_bytes=group_bytes, most_rows=_GROUP_ROWS)

    def _write_group(self) -> Iterator[Piece]:
        if not self._fits():
            self._writer.close()
            yield Piece(0, self._file.take(), ends_file=True)
            self._start_file()
        columns = [self._make_column(*column) for column in enumerate(self._fields)]
        rows = self._group.rows
        self._start_group()
        self._groups += 1
        self._writer.write_table(pa.table(columns, self._schema), row_group_size=rows)
        yield Piece(rows, self._file.take())

    def _fits(self) -> bool:
        """Whether the group can be in this file; the first one of a file always can."""
        if self._most_bytes is None or self._groups == 0:
            return True
        # zstd adds 3 bytes to 128 KiB that do not compress (RFC 8878).
        group_bytes = self._group.size_bytes * 17 // 16 + self._group.rows * _ROW_BYTES
        footer_bytes = (self._groups + 1) * _FOOTER_BYTES
        total_bytes = self._file.tell() + group_bytes + _HEADER_BYTES + footer_bytes
        return total_bytes <= self._most_bytes

    def _make_column(self, number: int, field: str) -> pa.Array:
        data, rows = self._group.join_data(number), self._group.rows
        if field in TIMES:
            return _make_times(data, nullable=field in _NULLABLE)
        if field == "id":
            return _make_ids(data, rows)
        if field == "tags":
            return _parse_tags(data, rows)
        return _make_texts(self._group.join_lengths(number), data)


class _Pieces(io.RawIOBase):
    """A file that is only written; what was written is taken out piece by piece."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []
        self._size = 0

    def writable(self) -> bool:
        """Yes."""
        return True

    def tell(self) -> int:
        """How many bytes were written."""
        return self._size

    def write(self, data: bytes) -> int:  # type: ignore[override]  # Arrow writes bytes
        """Keep the bytes until they are taken."""
        self._pieces.append(data)
        self._size += len(data)
        return len(data)

    def take(self) -> bytes:
        """All that was written since the last call."""
        data = b"".join(self._pieces)
        self._pieces = []
        return data


def _find_kind(field: str) -> Kind:
    if field in TIMES:
        return make_fixed_kind(_TIME_BYTES)
    return {"id": make_fixed_kind(_ID.byte_width), "tags": LINES}.get(field, TEXTS)


def describe_column(field: str) -> pa.Field:
    """The column of a field: its name, its type, and whether it can be null."""
    types = {"tags": _TAGS, **dict.fromkeys(TIMES, _TIME)}
    return pa.field(field, types.get(field, pa.string()), nullable=field in _NULLABLE)


def _make_numbers(code: str, type_: pa.DataType, data: bytes) -> pa.Array:
    numbers = array(code, data)
    if sys.byteorder == "little":
        numbers.byteswap()
    return pa.Array.from_buffers(type_, len(numbers), [None, pa.py_buffer(numbers)])


def _make_times(data: bytes, *, nullable: bool) -> pa.Array:
    """A column of times; where one is negative, and some may not be there, there is none."""
    numbers = _make_numbers("q", pa.int64(), data)
    there = pc.greater_equal(numbers, _ZERO[0]).buffers()[1] if nullable else None
    return pa.Array.from_buffers(_TIME, len(numbers), [there, numbers.buffers()[1]])


def _make_ids(data: bytes, rows: int) -> pa.Array:
    if len(data) != rows * _ID.byte_width:
        raise AssertionError(f"ids of {len(data)} bytes in {rows} rows")
    return pa.Array.from_buffers(_ID, rows, [None, pa.py_buffer(data)]).cast(pa.string())


def _make_texts(lengths: bytes, data: bytes) -> pa.Array:
    """A column of texts around the bytes of all of them; where a length is -1 there is none."""
    sizes = _make_numbers("i", pa.int32(), lengths)
    there = pc.greater_equal(sizes, _ZERO[0]).buffers()[1]
    sizes = pc.max_element_wise(sizes, _ZERO[0])
    ends = pc.cumulative_sum(sizes)
    offsets = pa.concat_arrays([_ZERO, ends])
    if offsets[-1].as_py() != len(data):
        raise AssertionError(f"texts of {offsets[-1]} bytes in {len(data)}")
    return pa.Array.from_buffers(
        pa.string(), len(sizes), [there, offsets.buffers()[1], pa.py_buffer(data)]
    )


def _parse_tags(lines: bytes, rows: int) -> pa.Array:
    """Lists of texts from lines of JSON."""
    objects = b'{"tags":' + lines[:-1].replace(b"\n", b'}\n{"tags":') + b"}"
    table = pyarrow.json.read_json(
        pa.BufferReader(objects),
        pyarrow.json.ReadOptions(use_threads=False, block_size=len(objects) + 1),
        pyarrow.json.ParseOptions(explicit_schema=pa.schema([pa.field("tags", _TAGS)])),
    )
    if table.num_rows != rows:
        raise AssertionError(f"{table.num_rows} lists of tags in {rows} rows")
    return table["tags"].combine_chunks()
