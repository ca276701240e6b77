"""Imports as a type of job: one file becomes memories in one transaction, or leaves nothing."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from memferry.cancellation import Interruption
from memferry.database.pool import Connection, Database
from memferry.errors import (
    ImportFailed,
    ImportTooSlow,
    LimitReached,
    ObjectNotFound,
    RecordsRejected,
    StorageUnavailable,
    UnknownInput,
)
from memferry.imports.merge import Merge, keep_report
from memferry.imports.reading import Files, Reading
from memferry.imports.request import KEPT_MS, NEEDS, TYPE, StoredRequest
from memferry.imports.workspace import fetch_upload, open_workspace, unwrap
from memferry.jobs.end import fail_job, finish_job
from memferry.jobs.work import Watch
from memferry.model.import_job import name_upload
from memferry.model.job import Claim, Failure, Job, JobProgress, Result
from memferry.model.token import Caller
from memferry.settings import Quotas, WorkerSettings
from memferry.storage import Storage
from memferry.telemetry import log_event
from memferry.wire.imports import ImportReport


class ImportWork:
    """Reads files of imports and merges them; one of these serves any number of attempts."""

    type = TYPE
    needs = NEEDS
    final_faults = (UnknownInput, ImportTooSlow, LimitReached)

    def __init__(
        self, database: Database, storage: Storage, worker: WorkerSettings, quotas: Quotas
    ) -> None:
        """A statement of the database may take as long as an import may."""
        self._database = database
        self._storage = storage
        self._seconds = worker.import_seconds
        self._directory = worker.import_dir
        self._quotas = quotas

    async def run(self, claim: Claim, job: Job, watch: Watch) -> None:
        """Import the file of a job, and end the job in the transaction of its memories.

        Raises Invalid for a job of another version.
        """
        request = StoredRequest.read(job.request)
        interruption = Interruption()
        attempt = _Attempt(
            self._database, self._quotas, claim, job, request, seal=interruption.seal
        )
        watch.observe(attempt.find_progress, interruption.interrupt, (_limit_time(self._seconds),))
        watch.check()
        await interruption.run(self._import(attempt))
        if not attempt.keeps_file:
            with suppress(StorageUnavailable):  # else the sweeper removes it
                await self._storage.delete(name_upload(claim.tenant_id, claim.job_id))

    async def undo(self, claim: Claim) -> None:
        """Do nothing: what is not published was rolled back."""

    async def _import(self, attempt: "_Attempt") -> None:
        async with open_workspace(self._directory) as directory:
            await attempt.import_files(await self._fetch(attempt, directory), directory)

    async def _fetch(self, attempt: "_Attempt", directory: Path) -> Files:
        key = name_upload(attempt.claim.tenant_id, attempt.claim.job_id)
        try:
            path = await fetch_upload(self._storage, key, directory)
        except ObjectNotFound as fault:
            raise ImportFailed("The store does not have the file any more.") from fault
        if attempt.request.wrapped:
            return await asyncio.to_thread(unwrap, path)
        return [(attempt.request.options.name, path)]


class _Attempt:
    """One attempt at one import."""

    def __init__(
        self,
        database: Database,
        quotas: Quotas,
        claim: Claim,
        job: Job,
        request: StoredRequest,
        *,
        seal: Callable[[], None],
    ) -> None:
        """`seal` is called when the job has ended in the transaction, which is then committed.

        A renewal of the lease finds it gone as soon as that is done.
        """
        self._seal = seal
        self._database = database
        self._quotas = quotas
        self.claim = claim
        self.request = request
        self._namespaces = None if job.namespaces is None else tuple(job.namespaces)
        self._token_id = job.token_id
        self._reading: Reading | None = None
        self.keeps_file = False
        """Whether the file is the result, since it is to be imported after this dry run."""

    def find_progress(self) -> JobProgress:
        """How much was read."""
        return JobProgress() if self._reading is None else self._reading.progress

    async def import_files(self, files: Files, directory: Path) -> None:
        """Read and merge files, and end the job with its report; raises LeaseLost."""
        caller = Caller(
            tenant_id=self.claim.tenant_id, token_id=self._token_id, namespaces=self._namespaces
        )
        async with (
            Reading(files, directory, self.request.options, self._namespaces) as self._reading,
            self._database.tenant(caller, long_running=True, via="import") as connection,
        ):
            await self._merge(connection, self._reading)

    async def _merge(self, connection: Connection, reading: Reading) -> None:
        """Nothing was changed yet where an import is refused, or a dry run."""
        merge = Merge(self._database, connection, self.request.options, self._quotas)
        await merge.stage(reading.iterate_chunks())
        if reading.is_refused or reading.is_fruitless:
            await self._fail(connection, reading)
            return
        outcomes, added_bytes, dry = await merge.settle(), 0, self.request.options.dry_run
        if not dry:
            added_bytes = await merge.save(outcomes, with_histories=reading.has_histories)
        report = reading.report.finish(outcomes)
        await self._finish(connection, report, 0 if dry else report.created + report.updated)
        if not dry:
            await merge.count_usage(report.created, added_bytes)

    async def _fail(self, connection: Connection, reading: Reading) -> None:
        report = reading.report.finish({})
        await keep_report(connection, self.claim, _render(report))
        fault = RecordsRejected(
            f"{report.rejected:,} of {report.read:,} records cannot be imported, so none was; "
            f"the first: {reading.report.first_rejection}"
        )
        failure = Failure(reason=str(fault), code=fault.code, retryable=fault.retryable)
        await fail_job(connection, self.claim, failure)
        self._end(report)

    async def _finish(self, connection: Connection, report: ImportReport, rows: int) -> None:
        await keep_report(connection, self.claim, _render(report))
        self.keeps_file = self.request.options.keep_file
        result = Result(
            rows=rows,
            size_bytes=self.find_progress().size_bytes,
            file_bytes=self.request.size_bytes,
            file_sha256=bytes.fromhex(self.request.sha256),
            object_key=self._name_file() if self.keeps_file else None,
            lifetime_ms=KEPT_MS if self.keeps_file else None,
        )
        await finish_job(connection, self.claim, result)
        self._end(report)

    def _name_file(self) -> str:
        return name_upload(self.claim.tenant_id, self.claim.job_id)

    def _end(self, report: ImportReport) -> None:
        self._seal()
        log_event(
            "import.ended",
            job=self.claim.job_id,
            attempt=self.claim.attempt,
            source=", ".join(report.sources),
            read=report.read,
            created=report.created,
            updated=report.updated,
            rejected=report.rejected,
        )


def _limit_time(seconds: float) -> Callable[[], None]:
    until = time.monotonic() + seconds

    def check_time() -> None:
        if time.monotonic() > until:
            raise ImportTooSlow

    return check_time


def _render(report: ImportReport) -> str:
    return msgspec.json.encode(report).decode()
