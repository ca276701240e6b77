"""What can be done with one tenant's imports: create, get, list, cancel or delete."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import fields, replace
from typing import Any

import asyncpg

from memferry.cancellation import finish_uncancelled
from memferry.database.pool import Database
from memferry.database.sql import sql
from memferry.errors import (
    ImportFileGone,
    ImportNotFound,
    MemferryError,
    ObjectNotFound,
    StorageUnavailable,
)
from memferry.exports.limits import ExportLimits
from memferry.imports.request import TYPE, ImportRequest, OnError, StoredRequest
from memferry.imports.uploads import PIECE_BYTES, ImportUploads, IncomingFile, MeasuredFile
from memferry.jobs.queue import OwnedJobs
from memferry.model.identity import is_export_id, new_export_id
from memferry.model.import_job import Import, name_upload
from memferry.model.job import object_prefix
from memferry.model.token import Caller
from memferry.settings import Quotas
from memferry.storage import Storage, remove_prefix
from memferry.telemetry import log_event

# No import is as new as that.
_FIRST = (2**63 - 1, "")
_NO_LIMIT = 2**63 - 1


class Imports:
    """The imports of every tenant, one caller per call."""

    def __init__(self, database: Database, storage: Storage, quotas: Quotas = Quotas()) -> None:
        self._database = database
        self._storage = storage
        self._most_bytes = quotas.import_bytes
        self._jobs = OwnedJobs(database)
        self._uploads = ImportUploads(database, quotas)
        # They count as exports do; what completed exports store is no matter of imports.
        self._limits = ExportLimits(database, replace(quotas, stored_bytes=_NO_LIMIT))

    @property
    def upload_bytes(self) -> int:
        """The most bytes of a file that lie in memory while it comes."""
        return self._storage.write_bytes + 2 * PIECE_BYTES

    async def create(self, caller: Caller, request: ImportRequest, file: IncomingFile) -> Import:
        """Put the file into the store as it comes, and queue its import.

        Raises NamespaceForbidden, LimitReached, Invalid for an empty file, TooLarge for one above
        the quota, and UploadLapsed for one that came too slowly.
        """
        if request.namespace is not None:
            caller.check_namespace(request.namespace)
        await self._limits.start(caller.tenant_id, None)
        import_id = new_export_id()
        await self._uploads.begin(caller, import_id)
        try:
            return await self._receive(caller, import_id, request, file)
        except BaseException:
            await finish_uncancelled(asyncio.create_task(self._give_up(caller, import_id)))
            raise

    async def run_kept(
        self, caller: Caller, import_id: str, *, on_error: OnError = "abort"
    ) -> Import:
        """Import the file that a dry run has kept, by the same options; it is not sent again.

        Raises ImportNotFound, ImportFileGone for a file that was not kept or is not any more, and
        as `create`.
        """
        known = await self.get(caller, import_id)
        stored = StoredRequest.read(known.request)
        if known.status != "completed" or not stored.options.keep_file:
            raise ImportFileGone
        request = replace(stored.options, dry_run=False, keep_file=False, on_error=on_error)
        try:
            key = name_upload(caller.tenant_id, known.id)
            size_bytes = (await self._storage.stat(key)).size_bytes
            chunks = self._storage.read(key, 0, size_bytes)
            return await self.create(caller, request, IncomingFile(chunks, lambda: stored.wrapped))
        except ObjectNotFound as fault:
            raise ImportFileGone from fault

    async def _receive(
        self, caller: Caller, import_id: str, request: ImportRequest, file: IncomingFile
    ) -> Import:
        measured = MeasuredFile(
            file.chunks, self._most_bytes, lambda: self._uploads.renew(caller, import_id)
        )
        await self._storage.put(
            name_upload(caller.tenant_id, import_id),
            measured,
            sha256=lambda: measured.sha256,
            media_type="application/octet-stream",
            filename=import_id,
        )
        stored = StoredRequest(
            options=request,
            wrapped=file.is_wrapped(),
            size_bytes=measured.size_bytes,
            sha256=measured.sha256.hex(),
        )
        return make_import(await self._uploads.create_import(caller, import_id, stored))

    async def _give_up(self, caller: Caller, import_id: str) -> None:
        with suppress(MemferryError):  # else the claim lapses
            await self._uploads.end(caller, import_id)

    async def get(self, caller: Caller, import_id: str) -> Import:
        """One import with its report; raises ImportNotFound."""
        row = None
        if is_export_id(import_id):
            async with self._database.tenant(caller) as connection:
                row = await connection.fetchrow(sql("imports/get_import"), import_id)
        if row is None:
            raise ImportNotFound
        return make_import(row)

    async def list_newest(
        self, caller: Caller, *, limit: int, place: Sequence[Any] | None = None
    ) -> Sequence[Import]:
        """The most recent ones behind a place, newest first.

        A place is `created_at` and id; None: the first.
        """
        arguments = (limit, *(place or _FIRST))
        async with self._database.tenant(caller) as connection:
            rows = await connection.fetch(sql("imports/list_imports"), *arguments)
        return [make_import(row) for row in rows]

    async def delete(self, caller: Caller, import_id: str) -> None:
        """Cancel an import that is not finished; forget one that is. Its memories stay.

        Raises ImportNotFound. What a store that is away keeps of the file is left to the sweeper.
        """
        if not is_export_id(import_id) or not await self._jobs.end(caller, TYPE, import_id):
            raise ImportNotFound
        prefix = object_prefix(caller.tenant_id, import_id)
        try:
            await remove_prefix(self._storage, prefix)
            await self._storage.prune(prefix)
        except StorageUnavailable as fault:
            log_event("upload.deferred", job=import_id, reason=fault)


def make_import(row: asyncpg.Record) -> Import:
    """Make an import of its row in the view `imports`."""
    values = dict(row)
    return Import(**{field.name: values[field.name] for field in fields(Import)})
