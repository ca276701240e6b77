"""What can be done with one tenant's exports: create, get, list, cancel or delete."""

from collections.abc import Mapping, Sequence
from typing import Any

from memferry.database.pool import Database
from memferry.database.sql import sql
from memferry.errors import (
    ExportNotFound,
    ManifestNotFound,
    ManifestNotReady,
    StorageUnavailable,
)
from memferry.exports.chain import Chain
from memferry.exports.creation import Creation, Submission
from memferry.exports.estimate import Estimation
from memferry.exports.limits import ExportLimits
from memferry.exports.preview import Previews
from memferry.exports.records import make_export, read_export, read_payload
from memferry.exports.request import TYPE, ExportRequest
from memferry.files.signature import PublicKey
from memferry.jobs.queue import OwnedJobs
from memferry.model.export import Estimate, Export, Preview
from memferry.model.identity import is_export_id
from memferry.model.job import UNFINISHED, object_prefix
from memferry.model.token import Caller
from memferry.settings import ExportSettings, Quotas
from memferry.shares import Hold, hold_uncounted
from memferry.storage import Storage, remove_prefix
from memferry.telemetry import log_event

# No export is as new as that.
_FIRST = (2**63 - 1, "")


class Exports:
    """The exports of every tenant, one caller per call."""

    def __init__(
        self,
        database: Database,
        storage: Storage,
        settings: ExportSettings = ExportSettings(),
        quotas: Quotas = Quotas(),
    ) -> None:
        limits = ExportLimits(database, quotas)
        self._creation = Creation(
            database, limits, lifetime_ms=int(settings.lifetime_seconds * 1000)
        )
        self._estimation = Estimation(database, limits)
        self._previews = Previews(database)
        self._database = database
        self._chain = Chain(database)
        self._jobs = OwnedJobs(database)
        self._storage = storage

    async def create(
        self,
        caller: Caller,
        request: ExportRequest,
        idempotency_key: str | None = None,
        *,
        hold: Hold = hold_uncounted,
    ) -> Export:
        """Run a small export at once, queue a large or encrypted one. All of it sees one snapshot.

        A repeated idempotency key answers the export it stands for; raises IdempotencyKeyInFlight
        while that one is being created, and IdempotencyKeyReused if it stands for another request.
        Raises LimitReached or ExportTooLarge for more than one tenant or one export may have, and
        ExportOvertaken if each of several snapshots held what was meanwhile erased. `hold` is told
        how many bytes of a payload lie in memory, and waits until there is room for them.
        """
        return await self._creation.create(Submission(caller, request, idempotency_key, hold))

    async def estimate(self, caller: Caller, request: ExportRequest) -> Estimate:
        """What the export would be like; nothing is stored, and no limit of exports is touched.

        Raises ExportTooLarge where `create` would.
        """
        return await self._estimation.estimate(caller, request)

    async def preview(self, caller: Caller, request: ExportRequest) -> Preview | None:
        """The first 16 KiB of the text that a file would hold now; None for a binary format."""
        return await self._previews.read(caller, request)

    async def get(self, caller: Caller, export_id: str, *, hold: Hold = hold_uncounted) -> Export:
        """One export, with its payload if it has one; raises ExportNotFound.

        `hold` as in `create`. A caller that may create exports and not read them finds those of
        the same token.
        """
        return await read_export(
            self._database, caller, export_id, hold, of_token=caller.own_exports_of
        )

    async def read_payload(
        self, caller: Caller, export_id: str, *, hold: Hold = hold_uncounted
    ) -> tuple[Export, bytes]:
        """One inline export with the bytes of its file; raises ExportNotFound if it has none.

        Which exports the caller finds, and `hold`, as in `get`.
        """
        return await read_payload(
            self._database, caller, export_id, hold, of_token=caller.own_exports_of
        )

    async def get_manifest(self, caller: Caller, export_id: str) -> bytes:
        """The manifest of a completed export; raises ExportNotFound.

        Raises ManifestNotReady before the export is completed, and ManifestNotFound if it never
        will be or has expired. Which exports the caller finds, as in `get`.
        """
        text = await self._find_manifest(caller, export_id)
        if text is None:
            await self._chain.seal(caller.tenant_id, export_id)
            text = await self._find_manifest(caller, export_id)
        if text is None:
            raise ManifestNotReady
        return text.encode()

    async def _find_manifest(self, caller: Caller, export_id: str) -> str | None:
        """None for a completed export that was not sealed yet."""
        if not is_export_id(export_id):
            raise ExportNotFound
        async with self._database.tenant(caller) as connection:
            row = await connection.fetchrow(
                sql("exports/get_manifest"), export_id, caller.own_exports_of
            )
        if row is None:
            raise ExportNotFound
        if row["status"] in UNFINISHED:
            raise ManifestNotReady
        if row["status"] != "completed" or row["lapsed"]:
            raise ManifestNotFound
        text: str | None = row["text"]
        return text

    async def list_chain(self, caller: Caller, *, limit: int) -> Sequence[Mapping[str, Any]]:
        """The last lines of the tenant's chain of manifests, newest first."""
        async with self._database.tenant(caller) as connection:
            rows = await connection.fetch(sql("exports/list_chain"), limit)
        return [dict(row) for row in rows]

    async def read_public_key(self) -> PublicKey:
        """The key by which manifests are verified."""
        return await self._chain.read_public_key()

    async def list_newest(
        self, caller: Caller, *, limit: int, place: Sequence[Any] | None = None
    ) -> Sequence[Export]:
        """The most recent ones behind a place, newest first, without payloads.

        A place is `created_at` and id; None: the first. Of which tokens, as in `get`.
        """
        arguments = (limit, *(place or _FIRST), caller.own_exports_of)
        async with self._database.tenant(caller) as connection:
            return [
                make_export(row)
                for row in await connection.fetch(sql("exports/list_exports"), *arguments)
            ]

    async def delete(self, caller: Caller, export_id: str) -> None:
        """Cancel an export that is not finished; remove one that is, with its file and payload.

        Raises ExportNotFound. The row goes first, so that nothing is ever offered that is not
        there; what a store that is away keeps of the file is left to the sweeper.
        """
        if not is_export_id(export_id):
            raise ExportNotFound
        if not await self._jobs.end(caller, TYPE, export_id):
            raise ExportNotFound
        try:
            await self._remove_files(object_prefix(caller.tenant_id, export_id))
        except StorageUnavailable as fault:
            log_event("files.deferred", export=export_id, reason=fault)

    async def _remove_files(self, prefix: str) -> None:
        await remove_prefix(self._storage, prefix)
        await self._storage.prune(prefix)
