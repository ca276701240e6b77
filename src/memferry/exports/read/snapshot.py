"""The snapshot that an export reads, and the reader that opens it."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from uuid import UUID

from memferry.database.pool import (
    Connection,
    Database,
    Planner,
    SharedSnapshot,
    keep_order,
    pin_moment,
)
from memferry.database.sql import sql
from memferry.database.standby import Standby
from memferry.errors import DatabaseUnavailable, Unavailable
from memferry.exports.read.plan import Way, plan
from memferry.exports.read.probe import count_expired, probe_order
from memferry.exports.read.stream import RowStream, open_rows
from memferry.exports.request import ExportRequest
from memferry.formats import BinaryFormat
from memferry.model.job import Claim


class Snapshot:
    """The state of the database that an export reads; while it is held, vacuum spares dead rows."""

    def __init__(
        self, taken_at: int, end_transaction: Callable[[], Awaitable[None]], *, server: str
    ) -> None:
        self.taken_at = taken_at
        """Epoch ms by the primary's clock: all that was answered before is in the snapshot.

        On the primary it is the moment of the snapshot, and nothing later is in.
        """
        self.server = server
        """Where the rows are read, for the log."""
        self.expired_rows = 0
        """How many rows match that had expired by then, and are left out."""
        self._end_transaction = end_transaction
        self._since = time.monotonic()
        self._until: float | None = None

    @property
    def held_seconds(self) -> float:
        """How long it has been held, up to now or until its release."""
        return (self._until or time.monotonic()) - self._since

    async def release(self) -> None:
        """End the transaction: its last row has been read."""
        await self._end_transaction()
        self._until = time.monotonic()


class Reader:
    """Reads queued exports, each in a snapshot of its own."""

    def __init__(
        self, database: Database, *, standby: Standby | None = None, readers: int = 1
    ) -> None:
        """`readers` connections read one export side by side, where an index has its order.

        `standby` is read in the place of `database`, as often as it is fit.
        """
        self._database = database
        self._standby = standby
        self._readers = readers

    @asynccontextmanager
    async def start(
        self, tenant_id: UUID, request: ExportRequest, claim: Claim | None = None
    ) -> AsyncIterator[tuple[RowStream, Snapshot]]:
        """The rows, and their snapshot, which is released as soon as the last row has been read.

        With a claim it is one of the standby, if there is one that shows the claim.
        """
        request = request.convert_to_files()
        async with AsyncExitStack() as transaction:
            database, connection, snapshot = await self._begin(tenant_id, claim, transaction)
            snapshot.expired_rows = await count_expired(connection, request)
            plan_ = plan(request, await probe_order(connection, request))
            connections = [connection]
            if plan_.way in (Way.RANGES, Way.SPAN):
                await keep_order(connection)
            # One connection keeps an encoder busy.
            readers = 1 if isinstance(request.format, BinaryFormat) else self._readers
            if plan_.way is Way.RANGES and readers > 1:
                connections += await self._extra_connections(
                    database, tenant_id, connection, snapshot.taken_at, transaction
                )
            async with open_rows(connections, request, plan_, snapshot.release) as rows:
                yield rows, snapshot

    async def _begin(
        self, tenant_id: UUID, claim: Claim | None, transaction: AsyncExitStack
    ) -> tuple[Database, Connection, Snapshot]:
        """The server to read from, and a transaction there with its snapshot."""
        if self._standby is not None and claim is not None:
            begun = await self._standby.begin(claim, transaction)
            if begun is not None:
                connection, taken_at = begun
                await pin_moment(connection, taken_at)
                snapshot = Snapshot(taken_at, transaction.aclose, server="standby")
                return self._standby.database, connection, snapshot
        connection = await transaction.enter_async_context(
            self._database.tenant(tenant_id, snapshot=True, long_running=True)
        )
        taken_at = await connection.fetchval(sql("exports/read_snapshot_time"))
        snapshot = Snapshot(taken_at, transaction.aclose, server="primary")
        return self._database, connection, snapshot

    async def _extra_connections(
        self,
        database: Database,
        tenant_id: UUID,
        first: Connection,
        moment: int,
        transaction: AsyncExitStack,
    ) -> Sequence[Connection]:
        """Further connections in the snapshot of the first; fewer where no more are free."""
        row = await first.fetchrow(sql("exports/share_snapshot"))
        if row is None:
            raise DatabaseUnavailable
        shared = SharedSnapshot(**row)
        extra: list[Connection] = []
        with suppress(Unavailable):
            while len(extra) < self._readers - 1:
                connection = database.tenant(
                    tenant_id,
                    snapshot=shared,
                    long_running=True,
                    planner=Planner.INDEX_ORDER,
                    moment=moment,
                )
                extra.append(await transaction.enter_async_context(connection))
        return extra
