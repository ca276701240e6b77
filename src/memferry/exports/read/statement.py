"""One statement that reads a whole export: by COPY, or by a cursor for a binary format."""

from memferry.database.blocks import Block, CopyReader
from memferry.database.copy import BlockStream, Segment
from memferry.database.csv_records import CsvReader
from memferry.database.frames import FrameReader
from memferry.database.pool import Connection
from memferry.exports.read.plan import Plan, Probe, Way
from memferry.exports.read.queries import (
    Query,
    Range,
    query_all,
    query_by_key,
    query_range,
    query_sample,
)
from memferry.exports.request import ExportRequest
from memferry.formats import BinaryFormat, TextFormat

# Rows may have megabytes. An encoder that wants larger batches gathers them itself.
_BATCH_ROWS = 16


async def emit_ready_records(request: ExportRequest, probe: Probe, blocks: BlockStream) -> None:
    """Hand on the records that the probe has brought."""
    segment = await blocks.add_segment()
    if probe.rows and probe.records is not None and isinstance(request.format, TextFormat):
        await segment.put_ready(
            Block(probe.rows, probe.records.encode() + request.format.separator)
        )
    await segment.end()
    await blocks.end()


async def read_statement(
    connection: Connection, request: ExportRequest, plan: Plan, blocks: BlockStream
) -> None:
    """Read all rows; on the way SPAN the transaction must keep the order of the index."""
    segment = await blocks.add_segment()
    query = _choose_query(request, plan)
    if isinstance(request.format, TextFormat):
        await segment.copy(connection, *query, open_copy_reader(request.format))
    else:
        await _encode(connection, query, request.format, segment)
    await segment.end()
    await blocks.end()


def open_copy_reader(format_: TextFormat) -> CopyReader:
    """What finds the records of a format in the bytes of one COPY."""
    if format_.csv is None:
        return FrameReader(format_.separator)
    return CsvReader(format_.csv, format_.separator)


def _choose_query(request: ExportRequest, plan: Plan) -> Query:
    if plan.way is Way.KEYS:
        return query_by_key(request)
    if plan.way is Way.SAMPLE:
        return query_sample(request, plan.one_in)
    if plan.frames is None:
        return query_all(request, "exports/export_rows")
    return query_range(request, Range.whole(request.range_selection), plan.frames)


async def _encode(
    connection: Connection, query: Query, format_: BinaryFormat, segment: Segment
) -> None:
    encoder = format_.start()
    statement, arguments = query
    cursor = await connection.cursor(statement, *arguments)
    while rows := await cursor.fetch(_BATCH_ROWS):
        await segment.put_ready(Block(len(rows), encoder.encode(rows)))
    await segment.put_ready(Block(0, encoder.finish()))
