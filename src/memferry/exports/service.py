"""What can be done with one tenant's exports: create, get, list, cancel or delete."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from typing import Any, LiteralString
from uuid import UUID

import asyncpg

from memferry.database.pool import Connection, Database
from memferry.database.retry import retry_conflicts
from memferry.database.sql import sql
from memferry.errors import (
    ExportNotFound,
    ExportOvertaken,
    IdempotencyKeyInFlight,
    IdempotencyKeyReused,
    StorageUnavailable,
    TransactionConflict,
    UnknownToken,
)
from memferry.exports.limits import ExportLimits
from memferry.exports.pack.payload import Payload, read_stored
from memferry.exports.read.probe import probe
from memferry.exports.read.stream import RowStream, open_inline_rows
from memferry.exports.request import TYPE, ExportRequest, show_request
from memferry.jobs.queue import OwnedJobs
from memferry.model.export import INLINE_BYTES, INLINE_ROWS, Export
from memferry.model.identity import is_export_id, new_export_id
from memferry.model.job import object_prefix, qualify_needs
from memferry.model.token import Caller
from memferry.settings import ExportSettings, Quotas
from memferry.shares import Hold, hold_uncounted
from memferry.storage import Storage, remove_prefix
from memferry.telemetry import log_event

_TRIES = 5
# A payload as it is escaped for the answer, and as it is compressed for the database.
_COPIES = 2
# Of a payload below this only what is sent counts.
_UNCOUNTED_BYTES = 2 * 1024 * 1024
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
        self._limits = ExportLimits(database, quotas)
        self._database = database
        self._jobs = OwnedJobs(database)
        self._storage = storage
        self._lifetime_ms = int(settings.lifetime_seconds * 1000)

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
        while that one is being made, and IdempotencyKeyReused if it was asked for differently.
        Raises LimitReached or ExportTooLarge for more than one tenant or one export may have, and
        ExportOvertaken if each of several snapshots held what was meanwhile erased. `hold` is told
        how many bytes of a payload lie in memory, and waits until there is room for them.
        """
        await self._limits.start(caller.tenant_id, idempotency_key)
        asked = _Asked(caller, request, idempotency_key, hold)
        for _ in range(_TRIES):
            with suppress(ExportOvertaken):
                return await self._create_whole(asked)
        raise ExportOvertaken

    async def _create_whole(self, asked: "_Asked") -> Export:
        try:
            return await self._create(asked, None)
        except _TooLarge as large:
            # A COPY that is left early takes its transaction with it.
            return await self._create(asked, large.rows)

    @retry_conflicts
    async def _create(self, asked: "_Asked", too_many: int | None) -> Export:
        """`too_many` is the number of rows, where an answer is known not to hold them."""
        if asked.key is not None:
            return await self._create_once(asked, asked.key, too_many)
        async with self._database.tenant(asked.caller, snapshot=True, heavy=True) as connection:
            return await self._make(connection, asked, too_many)

    async def _create_once(self, asked: "_Asked", key: str, too_many: int | None) -> Export:
        digest = asked.request.digest(asked.caller.namespaces)
        try:
            async with self._database.tenant(asked.caller, snapshot=True, heavy=True) as connection:
                known = await connection.fetchrow(sql("exports/find_idempotency_key"), key)
                if known is None or not known["free"]:
                    raise IdempotencyKeyInFlight
                if known["export_id"] is None:
                    made = await self._make(connection, asked, too_many)
                    await connection.execute(
                        sql("exports/keep_idempotency_key"), key, digest, made.id
                    )
                    return made
        except asyncpg.UniqueViolationError as fault:
            # Its first request ended after our snapshot and before we had the key.
            raise TransactionConflict from fault
        if known["request_sha256"] != digest:
            raise IdempotencyKeyReused
        return await self._read(asked.caller, known["export_id"], asked.hold, of_token=None)

    async def _make(self, connection: Connection, asked: "_Asked", too_many: int | None) -> Export:
        request = asked.request
        if too_many is not None:
            return await _queue(connection, request, too_many)
        # A payload lies in the database and in the answer as it is.
        if request.recipient is None:
            found = await probe(connection, asked.caller, request)
            if found.rows <= INLINE_ROWS:
                async with open_inline_rows(connection, request, found) as run:
                    payload = await _small(run, found.rows, asked.hold)
                return await self._keep(connection, request, run, payload)
        statement, arguments = request.selection.fill(sql("exports/count_memories"))
        count: int = await connection.fetchval(statement, *arguments)
        self._limits.check_rows(count)
        return await _queue(connection, request, count)

    async def _keep(
        self, connection: Connection, request: ExportRequest, run: RowStream, payload: Payload
    ) -> Export:
        row = await _added(
            connection,
            sql("exports/create_completed_export"),
            new_export_id(),
            request.convert_to_payload().as_json,
            run.rows_done,
            run.bytes_done,
            run.sha256,
            payload.finish(),
            self._lifetime_ms,
        )
        return _export(row, payload_json=payload.render_json())

    async def get(self, caller: Caller, export_id: str, *, hold: Hold = hold_uncounted) -> Export:
        """One export, with its payload if it has one; raises ExportNotFound.

        `hold` as in `create`.
        A caller that may create exports and not read them finds those of the same token.
        """
        return await self._read(caller, export_id, hold, of_token=caller.own_exports_of)

    async def _read(
        self, caller: Caller, export_id: str, hold: Hold, *, of_token: UUID | None
    ) -> Export:
        if not is_export_id(export_id):
            raise ExportNotFound
        async with self._database.tenant(caller) as connection:
            row = await connection.fetchrow(sql("exports/get_export"), export_id, of_token)
        if row is None:
            raise ExportNotFound
        if row["payload"] is None or row["lapsed"]:
            return _export(row)
        await hold(_COPIES * row["bytes_done"])
        return _export(row, payload_json=await asyncio.to_thread(read_stored, row["payload"]))

    async def newest(
        self, caller: Caller, *, limit: int, place: Sequence[Any] | None = None
    ) -> Sequence[Export]:
        """The most recent ones behind a place, newest first, without payloads.

        A place is `created_at` and id; None: the first. Of which tokens, as in `get`.
        """
        arguments = (limit, *(place or _FIRST), caller.own_exports_of)
        async with self._database.tenant(caller) as connection:
            return [
                _export(row)
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
            log_event("deletion.deferred", export=export_id, reason=fault)

    async def _remove_files(self, prefix: str) -> None:
        await remove_prefix(self._storage, prefix)
        await self._storage.prune(prefix)


@dataclass(frozen=True)
class _Asked:
    """A request for an export, and who makes it."""

    caller: Caller
    request: ExportRequest
    key: str | None
    hold: Hold


class _TooLarge(Exception):
    """The rows of an export are few, and yet too large for an answer."""

    def __init__(self, rows: int) -> None:
        super().__init__()
        self.rows = rows


async def _small(run: RowStream, rows: int, hold: Hold) -> Payload:
    """All bytes of a run; raises _TooLarge as soon as they are more than an answer may hold."""
    payload, held_bytes = Payload(), _UNCOUNTED_BYTES
    async for chunk in run:
        if run.bytes_done > INLINE_BYTES:
            raise _TooLarge(rows)
        if run.bytes_done > held_bytes:
            held_bytes = min(4 * held_bytes, INLINE_BYTES)
            await hold(_COPIES * held_bytes)
        await payload.add(chunk)
    return payload


async def _queue(connection: Connection, request: ExportRequest, row_count: int) -> Export:
    row = await _added(
        connection,
        sql("exports/create_pending_export"),
        new_export_id(),
        request.as_json,
        qualify_needs(TYPE, request.needs),
        row_count,
    )
    return _export(row)


async def _added(
    connection: Connection, statement: LiteralString, *arguments: object
) -> asyncpg.Record:
    """The row of a new export; raises ExportOvertaken if its snapshot holds what is erased now."""
    try:
        row = await connection.fetchrow(statement, *arguments)
    except asyncpg.SerializationError as fault:
        raise ExportOvertaken from fault
    if row is None:
        raise UnknownToken  # its tenant is being deleted
    return row


def _export(row: asyncpg.Record | None, **more: Sequence[bytes]) -> Export:
    """The export a statement over the view `exports` answered; past its time it is expired."""
    values = dict(row or {})
    values |= show_request(values["request"]) | more
    export = Export(
        **{field.name: values[field.name] for field in fields(Export) if field.name in values}
    )
    if values.get("lapsed"):
        return replace(export, status="expired", object_key=None)
    return export
