"""The rows of an export that comes back at once: few in one value, more by COPY in small blocks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from memferry.database.copy import CopyOut
from memferry.database.pool import Connection, keep_order
from memferry.database.sql import sql
from memferry.exports.ranges import VALUE_BYTES, read_joined, rows_of_value
from memferry.exports.request import ExportRequest
from memferry.exports.run import ExportRun, read_all
from memferry.model.export import INLINE_ROWS
from memferry.model.token import Caller


@dataclass(frozen=True)
class Found:
    """How many rows match, up to one more than an answer may hold; and their records, if few."""

    rows: int
    all_bytes: int = 0
    largest_bytes: int = 0
    """Both before they are rendered, where they were asked for."""
    lines: str | None = None
    in_order: bool = True
    """Whether an index has the rows in the order of exports."""


async def find(connection: Connection, caller: Caller, request: ExportRequest) -> Found:
    """Look whether an answer can hold the rows, in the snapshot of the caller's transaction."""
    # Where the caller's token is limited to namespaces, the view looks for these.
    in_order = request.selection.in_order and caller.namespaces is None
    if not (request.format.joins and in_order):
        # Rows that are looked for, and not just looked up, are looked for as seldom as can be.
        statement, arguments = request.selection.apply(sql("exports/probe_export"), INLINE_ROWS + 1)
        return Found(await connection.fetchval(statement, *arguments), in_order=in_order)
    statement, arguments = request.selection.apply(
        sql("exports/probe_rows"), INLINE_ROWS + 1, VALUE_BYTES
    )
    query = statement.replace("{columns}", request.format.columns)
    row = await connection.fetchrow(query, *arguments)
    return Found(**dict(row or {}))


@asynccontextmanager
async def running_inline(
    connection: Connection, request: ExportRequest, found: Found
) -> AsyncIterator[ExportRun]:
    """The export of what was found; iterate it for its bytes.

    Its blocks are small enough to be worked on where they are, without a thread.
    """
    async with CopyOut(block_bytes=VALUE_BYTES) as records:
        if found.lines is not None:
            records.run(_hold, found.rows, found.lines, records)
        else:
            records.run(_read, connection, request, found, records)
        yield ExportRun(request.format, records)


async def _hold(rows: int, lines: str, records: CopyOut) -> None:
    """Take what has been read already."""
    part = await records.part()
    await part.hold(lines.encode() + b"\n" if rows else b"", rows)
    await records.end()


async def _read(
    connection: Connection, request: ExportRequest, found: Found, records: CopyOut
) -> None:
    """All rows by one COPY; those with an index in their order many in one value."""
    if found.in_order:
        await keep_order(connection)
    if found.all_bytes and (
        rows := rows_of_value(found.all_bytes // found.rows, found.largest_bytes)
    ):
        await read_joined(connection, request, records, rows)
    else:
        await read_all(connection, request, records, in_order=found.in_order)
