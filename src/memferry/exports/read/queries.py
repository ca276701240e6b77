"""The statements that read an export, filled for one request."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import LiteralString, TypeAlias
from uuid import UUID

from memferry.database.sql import sql
from memferry.exports.read.plan import Frames
from memferry.exports.request import ExportRequest
from memferry.filters import Selection
from memferry.formats import Columns, Order, TextFormat

Query: TypeAlias = tuple[str, list[object]]
"""A statement and its arguments."""
Key: TypeAlias = tuple[int, UUID]
"""A row's place in the order of exports: created_at and id."""
_FIRST_ID, _LAST_ID = UUID(int=0), UUID(int=2**128 - 1)
_FIRST_MS, _LAST_MS = -(2**63), 2**63 - 1
_BY_KEY: Mapping[Order, LiteralString] = {
    Order.TIME: "exports/export_by_key",
    Order.THREADS: "exports/export_by_thread",
}
# Whatever ids a client has chosen for its memories.
_MOST_SAMPLE_ROWS = 10_000


@dataclass(frozen=True)
class Range:
    """The rows after one place in the order of exports, up to another one."""

    after: Key
    last: Key

    @classmethod
    def whole(cls, selection: Selection) -> "Range":
        """Everything that a selection for ranges may match."""
        after = (_FIRST_MS, _FIRST_ID)
        if selection.first_ms is not None:
            after = (selection.first_ms - 1, _LAST_ID)
        return cls(after, (_LAST_MS if selection.last_ms is None else selection.last_ms, _LAST_ID))


def query_all(request: ExportRequest) -> Query:
    """All rows of a request, each by itself or by CSV, in the order of an index."""
    return _query_rows(request, "exports/export_rows")


def query_by_key(request: ExportRequest, frames: Frames | None) -> Query:
    """All rows of a request by sorted keys, in the order of its format.

    They come in frames by columns, or each by itself.
    """
    if frames is None or not isinstance(request.format.rows, Columns):
        return _query_rows(request, _BY_KEY[request.format.order])
    statement, arguments = request.selection.fill(
        sql("exports/export_columns_by_key"), frames.rows, frames.most_record_bytes
    )
    return request.format.rows.render(statement), arguments


def query_sample(request: ExportRequest, one_in: int) -> Query:
    """About one in so many rows, in no order."""
    return _query_rows(request, "exports/export_sample", one_in, _MOST_SAMPLE_ROWS)


def query_range(request: ExportRequest, range_: Range, frames: Frames | None) -> Query:
    """The rows of a range, in frames or by CSV."""
    rows = request.format.rows
    name: LiteralString = "exports/export_range"
    leading: tuple[object, ...] = (*range_.after, *range_.last)
    if frames is not None:
        name = "exports/export_columns"
        leading += (frames.rows, frames.most_record_bytes)
    if frames is not None and isinstance(rows, TextFormat):
        name = "exports/export_frames"
        leading += (rows.separator.decode(),)
    statement, arguments = request.range_selection.fill(sql(name), *leading)
    return rows.render(statement), arguments


def query_range_end(request: ExportRequest, range_: Range, rows: int) -> Query:
    """The key of the last of so many rows at the start of a range."""
    return request.range_selection.fill(
        sql("exports/find_range_end"), *range_.after, *range_.last, rows
    )


def _query_rows(request: ExportRequest, name: LiteralString, *leading: object) -> Query:
    statement, arguments = request.selection.fill(sql(name), *leading)
    columns = request.format.rows.columns
    if request.format.rows.csv is None:
        columns = f"0 AS number, 1::bigint AS rows, {columns} AS records"
    return statement.replace("{columns}", columns), arguments
