"""Exports as a type of job: all rows of one snapshot into one file of the store."""

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

from memferry.errors import ExportTooLarge, SnapshotTooOld
from memferry.exports.attempt_files import AttemptFiles
from memferry.exports.chain import extend_chain
from memferry.exports.read.snapshot import Reader, Snapshot
from memferry.exports.read.stream import RowStream
from memferry.exports.request import TYPE, ExportRequest, list_needs
from memferry.jobs.work import SealedResult, Watch
from memferry.model.export import Part
from memferry.model.job import Claim, Job, JobProgress, Result
from memferry.settings import ExportSettings, Quotas, WorkerSettings
from memferry.storage import Storage, remove_with_companions
from memferry.telemetry import log_event


class StoreCheck(Protocol):
    """Whether the store is still the one that the database knows."""

    async def check_store(self) -> None:
        """Raises OtherStore if the store is not the database's any more."""


class ExportWork:
    """Writes files of exports; one of these serves any number of attempts at once."""

    type = TYPE
    final_faults = (SnapshotTooOld, ExportTooLarge)

    def __init__(
        self,
        reader: Reader,
        storage: Storage,
        settings: ExportSettings,
        worker: WorkerSettings,
        quotas: Quotas,
        *,
        store_check: StoreCheck | None = None,
    ) -> None:
        """`store_check` looks at the store before each publication."""
        self.needs = list_needs()
        self._reader = reader
        self._storage = storage
        self._lifetime_ms = int(settings.lifetime_seconds * 1000)
        self._snapshot_seconds = worker.snapshot_seconds
        self._most_bytes = quotas.export_bytes
        self._store_check = store_check

    async def run(self, claim: Claim, job: Job, watch: Watch) -> Result:
        """Write the file under this attempt's key, all rows from one snapshot, and verify it."""
        request = ExportRequest.read(job.request, job.namespaces)
        # Nothing that may be amiss with a standby meets an export twice.
        first = claim if job.failures == 1 else None
        files = AttemptFiles(self._storage, claim, request)
        async with self._reader.start(claim.tenant_id, request, first) as (rows, snapshot):
            self._observe(watch, rows, snapshot)
            parts = await files.write(rows, watch)
        log_event(
            "export.written",
            export=claim.job_id,
            attempt=claim.attempt,
            rows=rows.rows_done,
            bytes=rows.bytes_done,
            server=snapshot.server,
            held_seconds=snapshot.held_seconds,
        )
        if self._store_check is not None:
            await self._store_check.check_store()
        result = Result(
            rows=rows.rows_done,
            size_bytes=rows.bytes_done,
            sha256=rows.sha256,
            object_key=claim.object_key,
            snapshot_at=snapshot.taken_at,
            lifetime_ms=self._lifetime_ms,
            expired_rows=snapshot.expired_rows,
            **_describe_files(parts, split=request.part_bytes is not None),
        )
        return SealedResult(
            **vars(result),
            publication=lambda connection: extend_chain(
                connection, claim, result, files.put_manifest
            ),
        )

    def _observe(self, watch: Watch, rows: RowStream, snapshot: Snapshot) -> None:
        def check_size() -> None:
            if rows.bytes_done > self._most_bytes:
                raise ExportTooLarge(f"The export has more than {self._most_bytes:,} bytes.")

        def check_snapshot() -> None:
            if snapshot.held_seconds > self._snapshot_seconds:
                raise SnapshotTooOld

        watch.observe(
            lambda: JobProgress(rows.rows_done, rows.bytes_done),
            rows.interrupt,
            (check_size, check_snapshot),
        )

    async def undo(self, claim: Claim) -> None:
        """Remove what an attempt wrote that may not be published any more."""
        await remove_with_companions(self._storage, claim.object_key)


def _describe_files(parts: Sequence[Part], *, split: bool) -> dict[str, Any]:
    """What the row of the export says of its files; a digest only if it has one file."""
    file_bytes = sum(part.file_bytes for part in parts)
    if split:
        return {"file_bytes": file_bytes, "parts": msgspec.json.encode(parts).decode()}
    return {"file_bytes": file_bytes, "file_sha256": bytes.fromhex(parts[0].file_sha256)}
