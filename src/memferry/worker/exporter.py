"""One queued export: claim it, write the file, publish it; or hand it back."""

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import LiteralString

from memferry.database.pool import Database
from memferry.database.sql import sql
from memferry.errors import DatabaseUnavailable, LeaseLost, StorageUnavailable, Unavailable
from memferry.exports.downloads import file_name
from memferry.exports.request import ExportRequest
from memferry.exports.run import ExportRun, running_export
from memferry.model.export import Claim
from memferry.storage import Storage

_log = logging.getLogger("memferry.worker")
_MOST_ATTEMPTS = 5
_LONGEST_PAUSE_SECONDS = 60.0
_RENEWALS_PER_LEASE = 4


class Exporter:
    """Takes queued exports one at a time; several of these may run side by side anywhere."""

    def __init__(
        self, database: Database, storage: Storage, *, worker: str, lease_seconds: int
    ) -> None:
        self._database = database
        self._storage = storage
        self._worker = worker
        self._lease_seconds = lease_seconds

    async def tick(self) -> bool:
        """Claim one export and see it through; False when none waits."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(
                sql("claim_export"), self._worker, float(self._lease_seconds)
            )
        if row is None:
            return False
        claim = Claim(
            tenant_id=row["tenant_id"],
            export_id=row["id"],
            attempt=row["attempt"],
            worker=self._worker,
        )
        if claim.attempt > _MOST_ATTEMPTS:
            reason = row["last_error"] or "the worker died each time"
            await self._fail(claim, f"gave up after {_MOST_ATTEMPTS} attempts: {reason}")
            return True
        await self._attempt(claim, ExportRequest.stored(row["format"], row["filters"]))
        return True

    async def _attempt(self, claim: Claim, request: ExportRequest) -> None:
        try:
            run = await self._write(claim, request)
            await self._publish(claim, run)
        except LeaseLost:
            _log.warning("export %s: the lease was lost", claim.export_id)
        except Unavailable as fault:
            await self._hand_back(claim, str(fault))
        except asyncio.CancelledError:
            await self._hand_back(claim, "the worker was stopped", pause_seconds=0)
            raise
        except Exception as fault:  # noqa: BLE001 - whatever it was, the export must go on
            _log.exception("export %s: attempt %d failed", claim.export_id, claim.attempt)
            await self._hand_back(claim, f"internal error ({type(fault).__name__})")

    async def _write(self, claim: Claim, request: ExportRequest) -> ExportRun:
        """Write the file under this attempt's key, all rows from one snapshot."""
        async with (
            self._database.tenant(claim.tenant_id, snapshot=True, patient=True) as connection,
            running_export(connection, request) as run,
            self._lease(claim, run) as lease,
        ):
            await self._storage.put(
                claim.object_key,
                lease.guarded(run),
                media_type=request.format.media_type,
                filename=file_name(claim.export_id, request.format),
            )
        written = await self._storage.stat(claim.object_key)
        if written.size_bytes != run.bytes_done:
            raise StorageUnavailable(
                f"the store holds {written.size_bytes} bytes of {run.bytes_done} written"
            )
        return run

    async def _publish(self, claim: Claim, run: ExportRun) -> None:
        """Make the file downloadable, unless another worker owns the export by now."""
        published = await self._settle(
            claim, "complete_export", run.rows_done, run.bytes_done, run.sha256, claim.object_key
        )
        if not published:
            await self._storage.delete(claim.object_key)
            raise LeaseLost

    async def _hand_back(
        self, claim: Claim, reason: str, *, pause_seconds: float | None = None
    ) -> None:
        """Let the export be claimed again after a pause that grows with the attempts."""
        if pause_seconds is None:
            longest = min(2.0**claim.attempt, _LONGEST_PAUSE_SECONDS)
            pause_seconds = random.uniform(longest / 2, longest)  # noqa: S311 - spreads retries
        try:
            await self._settle(claim, "release_export", pause_seconds, reason)
        except DatabaseUnavailable:
            _log.warning("export %s: not handed back, its lease will lapse", claim.export_id)

    async def _fail(self, claim: Claim, reason: str) -> None:
        await self._settle(claim, "fail_export", reason)

    async def _settle(self, claim: Claim, statement: LiteralString, *values: object) -> bool:
        """Run a state change that only the holder of the lease may make; False: it is not ours."""
        async with self._database.tenant(claim.tenant_id) as connection:
            done = await connection.fetchval(
                sql(statement), claim.export_id, claim.attempt, claim.worker, *values
            )
        return done is not None

    @asynccontextmanager
    async def _lease(self, claim: Claim, run: ExportRun) -> "AsyncIterator[_Lease]":
        """Renew the lease beside the work, however slow the work is."""
        lease = _Lease(self._lease_seconds)
        task = asyncio.create_task(self._keep_renewing(claim, run, lease))
        try:
            yield lease
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def _keep_renewing(self, claim: Claim, run: ExportRun, lease: "_Lease") -> None:
        while not lease.lost:
            await asyncio.sleep(self._lease_seconds / _RENEWALS_PER_LEASE)
            asked = time.monotonic()
            try:
                renewed = await self._settle(
                    claim,
                    "renew_export",
                    float(self._lease_seconds),
                    run.rows_done,
                    run.bytes_done,
                )
            except Unavailable:
                continue  # the lease may outlive this; if not, it counts as lost
            if renewed:
                lease.renewed(asked)
            else:
                lease.give_up()


class _Lease:
    """What this process knows of its lease, by its own monotonic clock."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._good_until = time.monotonic() + seconds

    @property
    def lost(self) -> bool:
        """Whether another worker may have the export by now."""
        return time.monotonic() > self._good_until

    def renewed(self, asked: float) -> None:
        """The database renewed it, at or after the moment it was asked."""
        self._good_until = asked + self._seconds

    def give_up(self) -> None:
        """The database says that it is not ours any more."""
        self._good_until = float("-inf")

    async def guarded(self, run: ExportRun) -> AsyncIterator[bytes]:
        """The bytes of a run for as long as the lease holds; then LeaseLost, inside the upload.

        Raising inside the iterator is what makes the store abort an unfinished upload.
        """
        async for chunk in run:
            if self.lost:
                raise LeaseLost
            yield chunk
