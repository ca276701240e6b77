"""One export, first row to last byte: the path both inline and queued exports take."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import LiteralString, TypeVar
from uuid import UUID

from memferry.database.copy import CopyOut
from memferry.database.planner import needs_sort
from memferry.database.pool import (
    UNLIMITED_SECONDS,
    Connection,
    Database,
    SharedSnapshot,
    keep_order,
)
from memferry.database.sql import sql
from memferry.database.standby import Standby
from memferry.errors import DatabaseUnavailable, MemferryError, Unavailable
from memferry.exports.ranges import Ranges
from memferry.exports.request import ExportRequest
from memferry.formats import TextFormat
from memferry.model.job import Claim

# To hand over to a thread costs more than to hash or to compress this much.
_SMALL_BYTES = 256 * 1024
_T = TypeVar("_T")


def beside(work: Callable[[bytes], _T], chunk: bytes) -> "asyncio.Future[_T]":
    """Work on a chunk in a thread, without the interpreter lock; on a small one here and now."""
    loop = asyncio.get_running_loop()
    if len(chunk) > _SMALL_BYTES:
        return loop.run_in_executor(None, work, chunk)
    done: asyncio.Future[_T] = loop.create_future()
    done.set_result(work(chunk))
    return done


class ExportRun:
    """The bytes of an export as they come, and the tally of those already handed out."""

    def __init__(
        self,
        file_format: type[TextFormat],
        records: CopyOut,
        ended: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._format = file_format
        self._records = records
        self._ended = ended
        self._sha256 = hashlib.sha256()
        self.rows_done = 0
        self.bytes_done = 0

    @property
    def sha256(self) -> bytes:
        """Digest of the bytes so far; of the whole file once the iteration has ended."""
        return self._sha256.digest()

    def interrupt(self, fault: MemferryError) -> None:
        """Make the iteration raise, even while PostgreSQL is still looking for the next row."""
        self._records.fail(fault)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for rows, chunk in self._joined():
            hashing = beside(self._sha256.update, chunk)
            self.rows_done += rows
            self.bytes_done += len(chunk)
            try:
                yield chunk
            finally:
                await hashing
        if self.rows_done != self._records.rows:
            raise AssertionError(f"{self.rows_done} rows found of {self._records.rows} copied")

    async def _joined(self) -> AsyncIterator[tuple[int, bytes]]:
        """Blocks with the number of rows that end in them.

        The last one is kept back until it is known to be the last: after it the end of the file
        stands in the place of a separator.
        """
        shape = self._format
        kept, rest = (0, shape.head), b""
        async for block in self._records:
            rows, body, rest = _whole_records(shape, rest + block)
            if rows:
                yield kept
                kept = rows, body
        if self._ended is not None:
            await self._ended()
        rows, body = kept
        if not shape.ends_with_separator:
            body = body.removesuffix(shape.separator)
        yield rows, body + shape.tail


def _whole_records(shape: type[TextFormat], data: bytes) -> tuple[int, bytes, bytes]:
    """How many records are whole, these with a separator after each, and what is left over."""
    if shape.record_end == shape.separator:
        last_byte = shape.record_end[-1:]
        cut = data.rfind(last_byte) + 1
        whole = data[:cut]
        # To leave a byte out is many times as fast as to count it.
        return cut - len(whole.replace(last_byte, b"")), whole, data[cut:]
    # Cheaper than to replace: one look at each byte.
    *records, rest = data.split(shape.record_end)
    return len(records), shape.separator.join([*records, b""]), rest


class Snapshot:
    """The moment of the database that a run reads; while held, vacuum spares what died since."""

    def __init__(
        self, taken_at: int, let_go: Callable[[], Awaitable[None]], *, server: str
    ) -> None:
        self.taken_at = taken_at
        """Epoch ms by the primary's clock: what was answered before is in.

        On the primary it is the moment of the snapshot, and nothing later is in.
        """
        self.server = server
        """Where the rows are read, for the log."""
        self._let_go = let_go
        self._since = time.monotonic()
        self._until: float | None = None

    @property
    def held_seconds(self) -> float:
        """How long it has been held, up to now or until it was let go."""
        return (self._until or time.monotonic()) - self._since

    async def let_go(self) -> None:
        """End the transaction: its last row has been read."""
        await self._let_go()
        self._until = time.monotonic()


class Runs:
    """Starts exports, each in a snapshot of its own."""

    def __init__(
        self, database: Database, *, standby: Standby | None = None, readers: int = 1
    ) -> None:
        """So many connections read one export, where its rows have an index in their order.

        `standby` is read in the place of `database`, as often as it is fit.
        """
        self._database = database
        self._standby = standby
        self._readers = readers

    @asynccontextmanager
    async def start(
        self, tenant_id: UUID, request: ExportRequest, claim: Claim | None = None
    ) -> AsyncIterator[tuple[ExportRun, Snapshot]]:
        """A run, and its snapshot, which is let go as soon as the last row has been read.

        With a claim it is one of the standby, if there is one that shows the claim.
        """
        async with AsyncExitStack() as transaction:
            database, connection, snapshot = await self._begin(tenant_id, claim, transaction)
            in_order = await _take_index_order(connection, request)
            connections = [connection]
            if in_order and self._readers > 1:
                connections += await self._more(database, tenant_id, connection, transaction)
            async with running_export(
                connections, request, snapshot.let_go, in_order=in_order
            ) as run:
                yield run, snapshot

    async def _begin(
        self, tenant_id: UUID, claim: Claim | None, transaction: AsyncExitStack
    ) -> tuple[Database, Connection, Snapshot]:
        """The server to read from, and a transaction there with its snapshot."""
        if self._standby is not None and claim is not None:
            begun = await self._standby.begin(claim, transaction)
            if begun is not None:
                connection, taken_at = begun
                snapshot = Snapshot(taken_at, transaction.aclose, server="standby")
                return self._standby.database, connection, snapshot
        connection = await transaction.enter_async_context(
            self._database.tenant(tenant_id, snapshot=True, patient=True)
        )
        taken_at = await connection.fetchval(sql("exports/read_snapshot_time"))
        snapshot = Snapshot(taken_at, transaction.aclose, server="primary")
        return self._database, connection, snapshot

    async def _more(
        self,
        database: Database,
        tenant_id: UUID,
        first: Connection,
        transaction: AsyncExitStack,
    ) -> Sequence[Connection]:
        """Further connections in the snapshot of the first; fewer where there are no more."""
        row = await first.fetchrow(sql("exports/share_snapshot"))
        if row is None:
            raise DatabaseUnavailable
        shared = SharedSnapshot(**row)
        more: list[Connection] = []
        with suppress(Unavailable):
            while len(more) < self._readers - 1:
                reader = database.tenant(tenant_id, snapshot=shared, patient=True, in_order=True)
                more.append(await transaction.enter_async_context(reader))
        return more


@asynccontextmanager
async def running_export(
    connections: Sequence[Connection],
    request: ExportRequest,
    ended: Callable[[], Awaitable[None]] | None = None,
    *,
    in_order: bool,
) -> AsyncIterator[ExportRun]:
    """Start an export on connections in one snapshot of the tenant; iterate it for its bytes.

    `ended` is called once the last row has been read. With `in_order` the transactions of the
    connections keep the order of an index, which more than one connection needs. Leaving the
    context early stops the COPY on the server.
    """
    # A lost lease interrupts it, and the server has a limit of its own.
    async with CopyOut(len(connections), timeout=UNLIMITED_SECONDS) as records:
        if len(connections) == 1:
            records.run(read_all, connections[0], request, records, in_order=in_order)
        else:
            ranges = Ranges(request, records)
            for connection in connections:
                records.run(ranges.read, connection)
        yield ExportRun(request.format, records, ended)


async def read_all(
    connection: Connection, request: ExportRequest, records: CopyOut, *, in_order: bool
) -> None:
    """All rows by one COPY: the way for rows without an index in their order, and for few rows.

    With `in_order` the transaction must keep the order of an index (`keep_order`).
    """
    name: LiteralString = "exports/export_memories" if in_order else "exports/export_by_key"
    query, arguments = _query(request, name)
    part = await records.part()
    await part.copy(connection, query, arguments, request.format.copy)
    await records.end()


async def _take_index_order(connection: Connection, request: ExportRequest) -> bool:
    """Keep the order of an index until the transaction ends, if one serves these filters.

    An index that has the order may serve a filter that has none of its own: where most rows match,
    the planner walks the order and looks at each row.
    """
    if not request.selection.in_order and await needs_sort(
        connection, *_query(request, "exports/export_memories")
    ):
        return False
    await keep_order(connection)
    return True


def _query(request: ExportRequest, name: LiteralString) -> tuple[str, list[object]]:
    statement, arguments = request.selection.apply(sql(name))
    return statement.replace("{columns}", request.format.columns), arguments
