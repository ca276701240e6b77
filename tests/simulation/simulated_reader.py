"""What a process reads of a database in virtual time: the rows of an export, as bytes."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from memferry.errors import MemferryError
from memferry.exports.request import ExportRequest
from memferry.filters.namespace import Namespace
from memferry.model.job import Claim
from simulation.simulated import Process, Server
from simulation.simulated_jobs import Table

_VERY_LONG_SECONDS = 100_000.0
_ROWS_AT_ONCE = 3


def memories(namespace: str, snapshot_at: int) -> list[bytes]:
    """What a namespace held at that moment, one rendered line each."""
    size = int(namespace) % 20
    return [b"%d %s at %d\n" % (i, namespace.encode(), snapshot_at) for i in range(size)]


class SimulatedSnapshot:
    """A moment of the database, held until all rows are read."""

    server = "primary"
    expired_rows = 0

    def __init__(self, taken_at: int) -> None:
        self.taken_at = taken_at
        self._clock = asyncio.get_running_loop().time
        self._since = self._clock()
        self._until: float | None = None

    @property
    def held_seconds(self) -> float:
        """How long it has been held, up to now or until it was let go."""
        return (self._until or self._clock()) - self._since

    def let_go(self) -> None:
        """End the transaction."""
        self._until = self._clock()


class SimulatedRows:
    """The bytes of an export as they come, some rows at a time; sometimes no next row comes."""

    def __init__(
        self, process: Process, server: Server, lines: list[bytes], snapshot: SimulatedSnapshot
    ) -> None:
        self._process = process
        self._server = server
        self._lines = lines
        self._snapshot = snapshot
        self._fault: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sha256 = hashlib.sha256()
        self.rows_done = 0
        self.bytes_done = 0

    @property
    def sha256(self) -> bytes:
        """Digest of the bytes so far."""
        return self._sha256.digest()

    def interrupt(self, fault: MemferryError) -> None:
        """Make the iteration raise, even while the next row is waited for."""
        if not self._fault.done():
            self._fault.set_exception(fault)
            self._fault.exception()  # retrieved: the iteration may be over

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._lines), _ROWS_AT_ONCE):
            await self._step()
            lines = self._lines[start : start + _ROWS_AT_ONCE]
            chunk = b"".join(lines)
            self._sha256.update(chunk)
            self.rows_done += len(lines)
            self.bytes_done += len(chunk)
            yield chunk
        if self._server.chance.strikes("hang"):
            await asyncio.wait([self._fault], timeout=_VERY_LONG_SECONDS)
        await self._step()
        self._snapshot.let_go()

    async def _step(self) -> None:
        """One answer of the server, unless the work is interrupted before."""
        step = asyncio.ensure_future(self._server.call(self._process, bool))
        try:
            both: list[asyncio.Future[Any]] = [step, self._fault]
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if self._fault.done():
                self._fault.result()
            step.result()
        finally:
            step.cancel()


class SimulatedReader:
    """Starts reading exports, each in a snapshot of its own."""

    def __init__(self, process: Process, server: Server, table: Table) -> None:
        self._process = process
        self._server = server
        self._table = table

    @asynccontextmanager
    async def start(
        self, tenant_id: UUID, request: ExportRequest, claim: Claim | None = None
    ) -> AsyncIterator[tuple[SimulatedRows, SimulatedSnapshot]]:
        """The rows of a request, and their snapshot."""
        del tenant_id, claim
        snapshot_at = await self._server.call(self._process, self._table.now_ms)
        lines = memories(str(request.values[Namespace]), snapshot_at)
        snapshot = SimulatedSnapshot(snapshot_at)
        yield SimulatedRows(self._process, self._server, lines, snapshot), snapshot
