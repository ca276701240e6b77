"""What a worker knows of its lease, by its own monotonic clock."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager, suppress

from memferry.errors import ExportTooLarge, LeaseLost, SnapshotTooOld, Unavailable
from memferry.exports.jobs import Jobs
from memferry.exports.read.snapshot import Snapshot
from memferry.exports.read.stream import RowStream
from memferry.model.export import Claim

_RENEWALS_PER_LEASE = 4
# A renewal also shows the progress and finds out about a cancelled export, so it is never rare.
_LONGEST_WAIT_SECONDS = 1.0


class Lease:
    """Renewed beside the work, however slow the work is; interrupts the work once it is lost."""

    def __init__(
        self,
        jobs: Jobs,
        claim: Claim,
        *,
        seconds: float,
        snapshot_seconds: float,
        most_bytes: int,
    ) -> None:
        """`seconds` is how long it lasts from the time the claim was asked for."""
        self._jobs = jobs
        self._claim = claim
        self._seconds = seconds
        self._snapshot_seconds = snapshot_seconds
        self._most_bytes = most_bytes
        self._clock = asyncio.get_running_loop().time
        self._good_until = claim.asked + seconds
        self._renewing: asyncio.Task[None] | None = None
        self._run: RowStream | None = None
        self._snapshot: Snapshot | None = None

    @property
    def lost(self) -> bool:
        """Whether another worker may have the export by now."""
        return self._clock() > self._good_until

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Renew it in the background, until its end."""
        self._renewing = asyncio.create_task(self._keep())
        try:
            yield
        finally:
            await self.end()

    async def end(self) -> None:
        """Renew it no more; a renewal that has been sent was answered or is cut off."""
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.wait([self._renewing])

    async def guarded(
        self, chunks: AsyncIterable[bytes], run: RowStream, snapshot: Snapshot
    ) -> AsyncIterator[bytes]:
        """The bytes made of a run while the lease holds; then LeaseLost, inside the upload.

        Raising inside the iterator is what makes a store abort an unfinished upload. The last word
        is the database's: no upload is finished for an export that was cancelled.
        """
        self._run, self._snapshot = run, snapshot
        self._check()  # lost before there was anything to interrupt
        async for chunk in chunks:
            self._check()
            if run.bytes_done > self._most_bytes:
                raise ExportTooLarge(f"The export has more than {self._most_bytes:,} bytes.")
            yield chunk
        await self._renew()
        self._check()

    def _check(self) -> None:
        if self.lost:
            raise LeaseLost

    async def _keep(self) -> None:
        while not self.lost:
            await asyncio.sleep(min(self._seconds / _RENEWALS_PER_LEASE, _LONGEST_WAIT_SECONDS))
            with suppress(Unavailable):  # the lease may outlive this; if not, it counts as lost
                await self._renew()
            self._limit_snapshot()
        if self._run is not None:
            self._run.interrupt(LeaseLost())

    async def _renew(self) -> None:
        asked, run = self._clock(), self._run
        rows, size = (run.rows_done, run.bytes_done) if run else (0, 0)
        renewed = await self._jobs.renew(self._claim, rows, size)
        self._good_until = asked + self._seconds if renewed else float("-inf")

    def _limit_snapshot(self) -> None:
        if self._run is None or self._snapshot is None:
            return
        if self._snapshot.held_seconds > self._snapshot_seconds:
            self._run.interrupt(SnapshotTooOld())
