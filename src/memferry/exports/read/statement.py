"""One statement that reads a whole export, by COPY."""

from memferry.database.blocks import Block, CopyReader
from memferry.database.copy import BlockStream
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
from memferry.formats import Format, TextFormat


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
    await segment.copy(connection, *query, open_copy_reader(request.format))
    await segment.end()
    await blocks.end()


def open_copy_reader(format_: Format) -> CopyReader:
    """What finds the records of a format in the bytes of one COPY."""
    rows = format_.rows
    if rows.csv is None:
        return FrameReader(rows.separator)
    return CsvReader(rows.csv, rows.separator)


def _choose_query(request: ExportRequest, plan: Plan) -> Query:
    if plan.way is Way.KEYS:
        return query_by_key(request, plan.frames)
    if plan.way is Way.SAMPLE:
        return query_sample(request, plan.one_in)
    if plan.frames is None:
        return query_all(request)
    return query_range(request, Range.whole(request.range_selection), plan.frames)
