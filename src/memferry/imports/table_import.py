"""The import of another system's table: COPY out of its database into the staging table."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from uuid import UUID

import asyncpg
from msgspec import Raw

from memferry.database.faults import BROKEN
from memferry.database.literals import bind_literals
from memferry.database.pool import Connection, Database
from memferry.database.sql import sql
from memferry.errors import Invalid, MemferryError
from memferry.imports.merge import Merge
from memferry.imports.report import ReportWriter
from memferry.imports.request import ImportRequest
from memferry.imports.rows import READER_VERSION, find_latest_id_ms
from memferry.imports.tables import ForeignTable, find_table
from memferry.model import rules
from memferry.model.json_text import MAX_DEPTH
from memferry.settings import Quotas
from memferry.sources.base import Place
from memferry.wire.imports import ImportReport

_CONNECT_SECONDS = 10
_CHUNKS_AHEAD = 8


class TableImport:
    """Imports tables for the operator, who holds the addresses of both databases."""

    def __init__(self, database: Database, quotas: Quotas) -> None:
        """A statement of the database may take as long as an import may."""
        self._database = database
        self._quotas = quotas

    async def run(
        self, tenant_id: UUID, address: str, request: ImportRequest, table: str | None = None
    ) -> ImportReport:
        """Import one table in one transaction, and report what became of its rows.

        Without `table` the only one of a known kind is taken. Where a row is rejected and all or
        none were asked for, the report says which, and nothing is imported. Raises Invalid for a
        database that cannot be read, UnknownToken for a tenant that is being deleted, and what
        `Merge.settle` raises.
        """
        async with _connect(address, request.timezone) as source:
            foreign = await find_table(source, table)
            writer = ReportWriter(lambda: None)
            writer.sources.append(foreign.kind.name)
            async with (
                self._database.tenant(tenant_id, long_running=True, via="import") as connection,
                aclosing(_copy_out(source, foreign, request)) as chunks,
            ):
                merge = Merge(self._database, connection, request, self._quotas)
                await merge.stage(chunks, "binary")
                return await self._merge(merge, foreign, writer)

    async def _merge(self, merge: Merge, table: ForeignTable, writer: ReportWriter) -> ImportReport:
        """Nothing was changed yet where rows are refused, or a dry run."""
        await _reject_rows(merge.connection, table, writer)
        outcomes = await merge.settle()
        writer.read += outcomes.total()
        if writer.rejected and merge.request.on_error == "abort":
            return writer.finish({})
        if merge.request.dry_run:
            return writer.finish(outcomes)
        added_bytes = await merge.save(outcomes)
        report = writer.finish(outcomes)
        rows = report.created + report.updated
        await merge.connection.execute(
            sql("imports/note_table"), rows, added_bytes, table.kind.name
        )
        await merge.count_usage(report.created, added_bytes)
        return report


async def _reject_rows(connection: Connection, table: ForeignTable, writer: ReportWriter) -> None:
    """Take the rows out of the staging table that a save would refuse."""
    places = []
    async for row in connection.cursor(
        sql("imports/find_doubtful"),
        rules.CONTENT_BYTES,
        rules.METADATA_BYTES,
        rules.NAMESPACE_CHARACTERS,
        rules.REFERENCE_CHARACTERS,
        rules.LATEST_STORED_MS,
        find_latest_id_ms(),
        MAX_DEPTH,
    ):
        reason = row["reason"] or _check_metadata(row["metadata"])
        if reason is not None:
            writer.reject(Place(table.name, f"row {row['source_ref']}"), reason)
            places.append(row["place"])
    await connection.execute(sql("imports/drop_staged"), places)


def _check_metadata(metadata: str) -> str | None:
    """What a save would say against a metadata, if anything."""
    try:
        rules.check_json_object("metadata", Raw(metadata.encode()), most_bytes=rules.METADATA_BYTES)
    except MemferryError as fault:
        return str(fault)
    return None


@asynccontextmanager
async def _connect(address: str, timezone: str) -> AsyncIterator[Connection]:
    """Connect to the database of another system, which is only read."""
    try:
        connection = await asyncpg.connect(
            address,
            timeout=_CONNECT_SECONDS,
            server_settings={
                "application_name": "memferry import",
                "default_transaction_read_only": "on",
                "TimeZone": timezone,
                "standard_conforming_strings": "on",
            },
        )
    except (*BROKEN, ValueError) as fault:
        raise Invalid("from", f"cannot be read: {fault}") from fault
    try:
        yield connection
    finally:
        with suppress(*BROKEN):
            await connection.close(timeout=_CONNECT_SECONDS)


async def _copy_out(
    source: Connection, table: ForeignTable, request: ImportRequest
) -> AsyncGenerator[bytes, None]:
    """Yield a table as COPY sends it, rendered for the staging table; a few chunks are ahead."""
    salt = secrets.token_hex() if request.conflict == "new_ids" else ""
    arguments = [READER_VERSION, request.namespace, list(request.tags), table.kind.name, salt]
    records = table.kind.statement.replace("{table}", table.name)
    query = sql("imports/copy_records").replace("{records}", records)

    chunks: asyncio.Queue[bytes | None] = asyncio.Queue()
    room = asyncio.Semaphore(_CHUNKS_AHEAD)

    async def take(chunk: bytes) -> None:
        await room.acquire()
        chunks.put_nowait(chunk)

    copying = asyncio.create_task(
        source.copy_from_query(bind_literals(query, arguments), output=take, format="binary")
    )
    copying.add_done_callback(lambda _done: chunks.put_nowait(None))
    try:
        while (chunk := await chunks.get()) is not None:
            room.release()
            yield chunk
        await copying
    except BROKEN as fault:
        raise Invalid("from", f"{table.name} cannot be read: {fault}") from fault
    finally:
        copying.cancel()
        await asyncio.wait([copying])
