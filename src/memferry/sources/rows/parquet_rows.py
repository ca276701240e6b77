"""The rows of one Parquet file, read by pages: a row group need not fit into memory."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from msgspec import Raw

from memferry.errors import Invalid
from memferry.model.times import make_moment
from memferry.sources.base import Journal, Member, Place, ReadOptions, Record, refuse_file
from memferry.sources.memferry import FIELDS, Row, make_record
from memferry.sources.rows.fields import Fields
from memferry.sources.rows.foreign_rows import RowReader

_TEXT_COLUMNS = frozenset(["content", "memory", "text"])
_TIMES = ("created_at", "updated_at", "expires_at")
_BATCH_ROWS = 256
_BUFFER_BYTES = 256 * 1024
# A page is unpacked whole, and may be as large as its column in the row group.
_MOST_GROUP_BYTES = 2 * 1024**3
_MOST_RATIO, _RATIO_FROM_BYTES = 500, 64 * 1024 * 1024
# A footer of more is no table of memories; Arrow reads it whole.
_MOST_FOOTER_BYTES, _MOST_FOOTER_ITEMS = 16 * 1024 * 1024, 1_000_000


def read_table(member: Member, options: ReadOptions, journal: Journal) -> Iterator[Record]:
    """Yield the records of a file; raises Invalid for what is damaged or unpacks to too much."""
    with member.open() as raw, _translate_errors(member.name):
        file = pq.ParquetFile(
            raw,
            buffer_size=_BUFFER_BYTES,
            pre_buffer=False,
            thrift_string_size_limit=_MOST_FOOTER_BYTES,
            thrift_container_size_limit=_MOST_FOOTER_ITEMS,
        )
        schema = file.schema_arrow
        if _TEXT_COLUMNS.isdisjoint(schema.names):
            raise refuse_file(member.name, "has no column `content`, `memory` or `text`")
        _check_size(file, member.name)
        rows = _TableReader(schema, member.name, options, journal)
        for batch in file.iter_batches(_BATCH_ROWS, use_threads=False):
            yield from rows.read(batch)


def _check_size(file: pq.ParquetFile, name: str) -> None:
    """Raise Invalid for a file that says it unpacks to more than it should."""
    groups = [file.metadata.row_group(number) for number in range(file.num_row_groups)]
    if any(group.total_byte_size > _MOST_GROUP_BYTES for group in groups):
        raise refuse_file(name, f"has a row group of more than {_MOST_GROUP_BYTES} bytes")
    columns = [group.column(number) for group in groups for number in range(group.num_columns)]
    packed = sum(column.total_compressed_size for column in columns)
    unpacked = sum(column.total_uncompressed_size for column in columns)
    if unpacked > max(packed * _MOST_RATIO, _RATIO_FROM_BYTES):
        raise refuse_file(name, f"unpacks to more than {_MOST_RATIO} times its size")


@contextmanager
def _translate_errors(name: str) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError) as fault:
        reason = str(fault).partition("\n")[0][:200]
        raise refuse_file(name, f"is Parquet that cannot be read: {reason}") from fault


class _TableReader:
    """Makes records of the rows of one table."""

    def __init__(
        self, schema: pa.Schema, member: str, options: ReadOptions, journal: Journal
    ) -> None:
        self._member = member
        self._journal = journal
        self._foreign_rows = RowReader(member, options, journal, reader="parquet")
        self._is_ours = _has_own_types(schema)
        self._row = 0

    def read(self, batch: pa.RecordBatch) -> Iterator[Record]:
        """Yield the records of some rows; a row that is no valid text is rejected alone."""
        try:
            rows = _list_rows(batch, is_ours=self._is_ours)
        except UnicodeDecodeError:
            for at in range(batch.num_rows):
                yield from self._read_alone(batch.slice(at, 1))
            return
        for row in rows:
            yield from self._make_records(row)

    def _read_alone(self, row: pa.RecordBatch) -> Iterator[Record]:
        try:
            [values] = _list_rows(row, is_ours=self._is_ours)
        except UnicodeDecodeError:
            self._row += 1
            self._journal.reject(self._place, "row: is not valid UTF-8")
            return
        yield from self._make_records(values)

    @property
    def _place(self) -> Place:
        return Place(self._member, f"row {self._row}")

    def _make_records(self, row: dict[str, Any]) -> Iterator[Record]:
        self._row += 1
        try:
            if self._is_ours:
                yield make_record(_read_own_row(row), self._place)
            else:
                yield from self._foreign_rows.read_fields(_make_fields(row), self._place)
        except (Invalid, msgspec.MsgspecError, TypeError, RecursionError) as fault:
            self._journal.reject(self._place, str(fault))


def _has_own_types(schema: pa.Schema) -> bool:
    """Whether a table is one of our exports, with all fields or some."""
    names = set(schema.names)
    texts = names - {"tags", *_TIMES}
    return (
        {"id", "content"} <= names <= set(FIELDS)
        and len(names) == len(schema.names)
        and all(pa.types.is_string(schema.field(name).type) for name in texts)
        and all(
            schema.field(name).type == pa.timestamp("ms", tz="UTC") for name in names & {*_TIMES}
        )
        and ("tags" not in names or pa.types.is_list(schema.field("tags").type))
    )


def _list_rows(batch: pa.RecordBatch, *, is_ours: bool) -> list[dict[str, Any]]:
    """The rows as Python's values: times of ours in epoch milliseconds, of others as ISO 8601."""
    columns = [_list_values(column, is_ours=is_ours) for column in batch.columns]
    return [
        dict(zip(batch.schema.names, values, strict=True)) for values in zip(*columns, strict=True)
    ]


def _list_values(column: pa.Array, *, is_ours: bool) -> list[Any]:
    if not pa.types.is_timestamp(column.type):
        values: list[Any] = column.to_pylist()
        return values
    zone = column.type.tz
    times = column.cast(pa.timestamp("ms", tz=zone), safe=False).cast(pa.int64()).to_pylist()
    return times if is_ours else [_write_time(time, is_local=zone is None) for time in times]


def _write_time(time_ms: int | None, *, is_local: bool) -> str | int | None:
    """ISO 8601; beyond the year 9999 the number itself, of milliseconds."""
    if time_ms is None:
        return None
    try:
        moment = make_moment(time_ms)
    except OverflowError:
        return time_ms
    return (moment.replace(tzinfo=None) if is_local else moment).isoformat()


def _read_own_row(row: Mapping[str, Any]) -> Row[str]:
    known = {name: value for name, value in row.items() if value is not None}
    if "content" not in known:
        raise Invalid("content", "is null")
    metadata = Raw(known.pop("metadata", "null").encode())
    return Row[str](**known, metadata=metadata)


def _make_fields(row: Mapping[str, Any]) -> Fields:
    return Fields({name: Raw(msgspec.json.encode(value)) for name, value in row.items()})
