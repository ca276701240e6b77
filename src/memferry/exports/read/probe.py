"""Looks at the rows of an export before they are read: how many, how large, in which order."""

from memferry.database.planner import needs_sort
from memferry.database.pool import Connection
from memferry.database.sql import sql
from memferry.errors import DatabaseUnavailable
from memferry.exports.read.plan import FRAME_BYTES, MOST_ROWS, Frames, Probe
from memferry.exports.request import ExportRequest
from memferry.formats import Order, TextFormat
from memferry.model.export import INLINE_ROWS
from memferry.model.token import Caller


async def probe(connection: Connection, caller: Caller, request: ExportRequest) -> Probe:
    """Look whether an answer can hold the rows, in the snapshot of the caller's transaction."""
    # A token that is limited to namespaces reads them through the view, by no index of this order.
    format_ = request.format
    index_order = (
        format_.order is Order.TIME and request.selection.index_order and caller.namespaces is None
    )
    if index_order and isinstance(format_, TextFormat) and format_.csv is None:
        return await _probe_records(connection, request, format_)
    # CSV cannot be sent ready; without an order in the index a second scan would be expensive.
    statement, arguments = request.selection.fill(sql("exports/probe_export"), INLINE_ROWS + 1)
    row = await connection.fetchrow(statement, *arguments)
    if row is None:
        raise DatabaseUnavailable
    return Probe(
        index_order=index_order, inline=True, rows=row["rows"], expired_rows=row["expired_rows"]
    )


async def _probe_records(
    connection: Connection, request: ExportRequest, format_: TextFormat
) -> Probe:
    statement, arguments = request.selection.fill(
        sql("exports/probe_rows"),
        INLINE_ROWS + 1,
        MOST_ROWS,
        FRAME_BYTES,
        Frames(MOST_ROWS).most_record_bytes,
        format_.separator.decode(),
    )
    query = statement.replace("{columns}", format_.columns)
    row = await connection.fetchrow(query, *arguments)
    if row is None:
        raise DatabaseUnavailable
    return Probe(
        index_order=True,
        inline=True,
        rows=row["rows"],
        expired_rows=row["expired_rows"],
        mean_bytes=row["mean_bytes"],
        records=row["records"] if row["ready_rows"] == row["rows"] else None,
    )


async def count_expired(connection: Connection, request: ExportRequest) -> int:
    """The number of memories that match and have expired by the moment of the transaction."""
    statement, arguments = request.selection.fill(sql("exports/count_expired"))
    rows: int = await connection.fetchval(statement, *arguments)
    return rows


async def probe_order(connection: Connection, request: ExportRequest) -> Probe:
    """Look whether an index has the order of an export that a worker reads; nothing is counted.

    An index that has the order may serve a filter that has none of its own: where most rows match,
    the planner walks the order and looks at each row.
    """
    if request.format.order is not Order.TIME:
        return Probe(index_order=False)
    if request.selection.index_order:
        return Probe(index_order=True)
    statement, arguments = request.selection.fill(sql("exports/export_rows"))
    query = statement.replace("{columns}", request.format.rows.columns)
    return Probe(index_order=not await needs_sort(connection, query, arguments))
