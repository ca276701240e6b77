"""Exports as a type of job: all rows of one snapshot into one file of the store."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import closing
from functools import partial
from typing import Protocol

from memferry.errors import ExportTooLarge, SnapshotTooOld, StorageUnavailable
from memferry.exports.chain import extend_chain
from memferry.exports.pack.packed import PackedFile
from memferry.exports.read.snapshot import Reader, Snapshot
from memferry.exports.read.stream import RowStream
from memferry.exports.request import TYPE, ExportRequest, list_needs
from memferry.files.kind import file_name, media_type
from memferry.files.manifest import (
    EXTENSION,
    MEDIA_TYPE,
    SUMS_EXTENSION,
    SUMS_MEDIA_TYPE,
    manifest_name,
    write_sums,
)
from memferry.jobs.work import SealedResult, Watch
from memferry.model.job import Claim, Job, JobProgress, Result
from memferry.settings import ExportSettings, Quotas, WorkerSettings
from memferry.storage import Storage, remove_with_companions, replace_bytes
from memferry.telemetry import log_event

# The tenant's turn is held meanwhile.
_MANIFEST_SECONDS = 10


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
        async with self._reader.start(claim.tenant_id, request, first) as (rows, snapshot):
            self._observe(watch, rows, snapshot)
            with closing(PackedFile(rows, request.codec, request.recipient)) as file:
                await self._put(claim, request, file, watch)
        log_event(
            "export.written",
            export=claim.job_id,
            attempt=claim.attempt,
            rows=rows.rows_done,
            bytes=rows.bytes_done,
            server=snapshot.server,
            held_seconds=snapshot.held_seconds,
        )
        await self._put_sums(claim, file)
        if self._store_check is not None:
            await self._store_check.check_store()
        result = Result(
            rows=rows.rows_done,
            size_bytes=rows.bytes_done,
            sha256=rows.sha256,
            object_key=claim.object_key,
            file_bytes=file.size_bytes,
            file_sha256=file.sha256,
            snapshot_at=snapshot.taken_at,
            lifetime_ms=self._lifetime_ms,
        )
        return SealedResult(
            **vars(result),
            publication=lambda connection: extend_chain(
                connection, claim, result, partial(self._put_manifest, claim, request)
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

    async def _put(
        self, claim: Claim, request: ExportRequest, file: PackedFile, watch: Watch
    ) -> None:
        encrypted = request.recipient is not None
        await self._storage.put(
            claim.object_key,
            _guard(file, watch),
            sha256=lambda: file.sha256,
            media_type=media_type(request.format, request.codec, encrypted=encrypted),
            filename=file_name(claim.job_id, request.format, request.codec, encrypted=encrypted),
        )

    async def _put_sums(self, claim: Claim, file: PackedFile) -> None:
        """Write the digest beside the file, for `sha256sum -c` in the store."""
        _, _, name = claim.object_key.rpartition("/")
        await replace_bytes(
            self._storage,
            f"{claim.object_key}.{SUMS_EXTENSION}",
            write_sums([(name, file.sha256.hex())]),
            media_type=SUMS_MEDIA_TYPE,
            filename=f"memferry-{claim.job_id}.{SUMS_EXTENSION}",
        )

    async def _put_manifest(self, claim: Claim, request: ExportRequest, text: bytes) -> None:
        """Write the manifest beside the file; the tenant's other exports wait for that.

        Beside an encrypted file nothing may tell what is in it: not its filters, nor a digest.
        """
        if request.recipient is not None:
            return
        try:
            async with asyncio.timeout(_MANIFEST_SECONDS):
                await replace_bytes(
                    self._storage,
                    f"{claim.object_key}.{EXTENSION}",
                    text,
                    media_type=MEDIA_TYPE,
                    filename=manifest_name(claim.job_id),
                )
        except TimeoutError as fault:
            raise StorageUnavailable from fault

    async def undo(self, claim: Claim) -> None:
        """Remove what an attempt wrote that may not be published any more."""
        await remove_with_companions(self._storage, claim.object_key)


async def _guard(chunks: AsyncIterable[bytes], watch: Watch) -> AsyncIterator[bytes]:
    """The bytes of a file while its attempt may go on; a fault is raised inside the upload.

    Raising inside the iterator is what makes a store abort an unfinished upload. The last word is
    the database's: no upload is finished for an export that was cancelled.
    """
    watch.check()
    async for chunk in chunks:
        watch.check()
        yield chunk
    await watch.confirm()
