"""One queued export: claim it, write the file, publish it; or let another attempt do so."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass
from functools import partial

from memferry.errors import (
    ExportTooLarge,
    Invalid,
    LeaseLost,
    MemferryError,
    OtherStore,
    SnapshotTooOld,
    StorageUnavailable,
    Unavailable,
    WorkerLost,
)
from memferry.exports.jobs import Jobs
from memferry.exports.pack.packed import PackedFile
from memferry.exports.read.snapshot import Reader
from memferry.exports.request import NEEDS, ExportRequest
from memferry.files.kind import file_name, media_type
from memferry.model.export import Claim, Failure, Job, Result
from memferry.storage import Storage
from memferry.worker.attendance import Attendance
from memferry.worker.lease import Lease

_log = logging.getLogger("memferry.worker")
# Three times as long after each failure: with the default of 2 s up to 80 s in all.
_PAUSE_GROWTH = 3
_LONGEST_PAUSE_SECONDS = 600.0


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long an export is worked on, in seconds, and how large it may become."""

    lease: float
    attempts: int
    first_pause: float
    snapshot: float
    """How long one attempt may hold its snapshot, and with it vacuum."""
    most_bytes: int = 2**63
    """How large an export may become, uncompressed."""


class Exporter:
    """Takes queued exports one at a time; several of these may run side by side anywhere."""

    def __init__(
        self,
        jobs: Jobs,
        reader: Reader,
        storage: Storage,
        *,
        worker: str,
        patience: Patience,
        attendance: Attendance | None = None,
    ) -> None:
        """`attendance` looks at the store before each claim and before each publication."""
        self._attendance = attendance
        self._jobs = jobs
        self._reader = reader
        self._storage = storage
        self._worker = worker
        self._patience = patience

    async def tick(self) -> bool:
        """Claim one export and see it through; False when none waits."""
        if not await self._jobs.is_one_waiting() or not await self._may_work():
            return False
        claim = await self._jobs.claim(self._worker, NEEDS)
        if claim is None:
            return False
        lease = Lease(
            self._jobs,
            claim,
            seconds=self._patience.lease,
            snapshot_seconds=self._patience.snapshot,
            most_bytes=self._patience.most_bytes,
        )
        try:
            async with lease.kept():
                await self._attempt(claim, lease)
        except LeaseLost:
            _log.warning("export %s: attempt %d lost it", claim.export_id, claim.attempt)
        except Unavailable as fault:
            _log.warning("export %s is left until its lease lapses: %s", claim.export_id, fault)
        return True

    async def _may_work(self) -> bool:
        return self._attendance is None or await self._attendance.may_work()

    async def _attempt(self, claim: Claim, lease: Lease) -> None:
        hand_back = partial(self._jobs.hand_back, claim)
        async with _when_stopped(lease, hand_back):
            job = await self._jobs.read(claim)
        if job is None:
            raise LeaseLost
        if job.failures > self._patience.attempts:
            await _say(lease, partial(self._jobs.fail, claim, _gave_up(job)))
            return
        try:
            async with _when_stopped(lease, hand_back):
                await self._publish(claim, await self._write(claim, job, lease))
        except LeaseLost:
            raise
        except Invalid:
            # A newer version has queued it: its workers understand it.
            await lease.end()
            await self._jobs.hand_back(claim, _LONGEST_PAUSE_SECONDS)
        except (SnapshotTooOld, ExportTooLarge) as fault:
            await _say(lease, partial(self._jobs.fail, claim, _failure(fault)))
        except MemferryError as fault:
            await self._retry(claim, job, lease, fault)
        except Exception as fault:  # noqa: BLE001 - whatever it was, the export must go on
            _log.exception("export %s: attempt %d failed", claim.export_id, claim.attempt)
            unknown = MemferryError(f"internal error ({type(fault).__name__})")
            await self._retry(claim, job, lease, unknown)

    async def _write(self, claim: Claim, job: Job, lease: Lease) -> Result:
        """Write the file under this attempt's key, all rows from one snapshot, and verify it."""
        request = ExportRequest.read(job.request, job.namespaces)
        # Nothing that may be amiss with a standby meets an export twice.
        first = claim if job.failures == 1 else None
        async with self._reader.start(claim.tenant_id, request, first) as (run, snapshot):
            encrypted = request.recipient is not None
            with closing(PackedFile(run, request.codec, request.recipient)) as file:
                await self._storage.put(
                    claim.object_key,
                    lease.guarded(file, run, snapshot),
                    sha256=lambda: file.sha256,
                    media_type=media_type(request.format, request.codec, encrypted=encrypted),
                    filename=file_name(
                        claim.export_id, request.format, request.codec, encrypted=encrypted
                    ),
                )
        _log.info(
            "export %s: attempt %d wrote %d rows, %d bytes; its snapshot on the %s was held "
            "for %.1f s",
            *(claim.export_id, claim.attempt, run.rows_done, run.bytes_done),
            *(snapshot.server, snapshot.held_seconds),
        )
        return Result(
            rows=run.rows_done,
            size_bytes=run.bytes_done,
            sha256=run.sha256,
            file_bytes=file.size_bytes,
            file_sha256=file.sha256,
            snapshot_at=snapshot.taken_at,
        )

    async def _publish(self, claim: Claim, result: Result) -> None:
        """Make the file downloadable, unless another worker owns the export by now."""
        if self._attendance is not None:
            await self._attendance.check_store()
        if not await self._jobs.complete(claim, result):
            await self._storage.delete(claim.object_key)
            raise LeaseLost

    async def _retry(self, claim: Claim, job: Job, lease: Lease, fault: MemferryError) -> None:
        """Let another attempt come after a pause that grows; after the last one, say why."""
        _log.warning("export %s: attempt %d: %s", claim.export_id, claim.attempt, fault)
        if isinstance(fault, StorageUnavailable | OtherStore) and not await self._may_work():
            _log.warning("export %s is left to other workers", claim.export_id)
            await _say(lease, partial(self._jobs.hand_back, claim))
            return
        failure = _failure(fault)
        if job.failures >= self._patience.attempts:
            await _say(lease, partial(self._jobs.fail, claim, failure))
            return
        longest = self._patience.first_pause * _PAUSE_GROWTH ** (job.failures - 1)
        longest = min(longest, _LONGEST_PAUSE_SECONDS)
        pause = random.uniform(longest / 2, longest)  # noqa: S311 - spreads retries
        await _say(lease, partial(self._jobs.release, claim, failure, pause))


async def _say(lease: Lease, how_it_ended: Callable[[], Awaitable[bool]]) -> None:
    """Tell the database how an attempt ended, also when the worker is stopped meanwhile.

    No renewal comes later: it would put a whole lease in the place of a pause.
    """
    async with _when_stopped(lease, how_it_ended):
        await lease.end()
        await how_it_ended()


@asynccontextmanager
async def _when_stopped(
    lease: Lease, last_word: Callable[[], Awaitable[bool]]
) -> AsyncIterator[None]:
    """Say that before all else when the worker is stopped in here, so that nobody waits for it."""
    try:
        yield
    except asyncio.CancelledError:
        with suppress(Unavailable):
            await lease.end()
            await last_word()
        raise


def _failure(fault: MemferryError) -> Failure:
    return Failure(reason=str(fault), code=fault.code, retryable=fault.retryable)


def _gave_up(job: Job) -> Failure:
    """Why no further attempt is made though the last one has said nothing: its worker died."""
    reason = f"gave up after {job.failures - 1} attempts: {WorkerLost()}"
    if job.last_error is not None:
        reason += f" (an earlier attempt: {job.last_error})"
    return Failure(reason=reason, code=WorkerLost.code, retryable=WorkerLost.retryable)
