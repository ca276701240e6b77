"""The creation of an export: read at once if an answer can hold it, queued for a worker if not."""

from dataclasses import dataclass
from typing import LiteralString

import asyncpg

from memferry.database.pool import Connection, Database
from memferry.database.retry import retry_conflicts
from memferry.database.sql import sql
from memferry.errors import (
    ExportOvertaken,
    IdempotencyKeyInFlight,
    IdempotencyKeyReused,
    TransactionConflict,
    UnknownToken,
)
from memferry.exports.announcement import Announcements
from memferry.exports.chain import Chain, make_line
from memferry.exports.limits import ExportLimits
from memferry.exports.pack.payload import Payload
from memferry.exports.read.plan import Probe
from memferry.exports.read.probe import probe
from memferry.exports.read.stream import RowStream, open_inline_rows
from memferry.exports.records import PAYLOAD_COPIES, make_export, read_export
from memferry.exports.request import TYPE, ExportRequest
from memferry.formats import TextFormat
from memferry.model.export import INLINE_ROWS, Export
from memferry.model.identity import new_export_id
from memferry.model.job import qualify_needs
from memferry.model.token import Caller
from memferry.shares import Hold

_TRIES = 5
# Of a payload below this only what is sent counts.
_UNCOUNTED_BYTES = 2 * 1024 * 1024


@dataclass(frozen=True)
class Submission:
    """A request for an export, its caller and its idempotency key."""

    caller: Caller
    request: ExportRequest
    key: str | None
    hold: Hold
    """Told how many bytes of a payload lie in memory; waits until there is room for them."""

    @property
    def digest(self) -> bytes:
        """The digest that the idempotency key stands for."""
        return self.request.digest(self.caller.namespaces)


class Creation:
    """Creates exports; one transaction sees the snapshot, the quota of rows and the key."""

    def __init__(self, database: Database, limits: ExportLimits, *, lifetime_ms: int) -> None:
        self._database = database
        self._chain = Chain(database)
        self._announcements = Announcements(database)
        self._limits = limits
        self._lifetime_ms = lifetime_ms

    async def create(self, submission: Submission) -> Export:
        """Create an export, or answer the one that the idempotency key stands for.

        Raises as `Exports.create`.
        """
        await self._limits.start(submission.caller.tenant_id, submission.key)
        created = await self._create_once_possible(submission)
        tenant_id, export_id = submission.caller.tenant_id, created.export.id
        if created.untold:
            await self._announcements.tell(tenant_id, export_id)
        if not created.sealed:
            await self._chain.seal(tenant_id, export_id)
        return created.export

    async def _create_once_possible(self, submission: Submission) -> "_Created":
        row_count: int | None = None
        for _ in range(_TRIES):
            try:
                return await self._create_in_snapshot(submission, row_count)
            except _PayloadTooLarge as fault:
                # A COPY that is left early takes its transaction with it.
                row_count = fault.row_count
            except ExportOvertaken:
                row_count = None
        raise ExportOvertaken

    @retry_conflicts
    async def _create_in_snapshot(
        self, submission: Submission, row_count: int | None
    ) -> "_Created":
        """`row_count` is given for rows that are known to be too large for a payload."""
        caller = submission.caller
        async with self._database.tenant(caller, snapshot=True, heavy=True) as connection:
            known_id = await _find_known(connection, submission)
            if known_id is None:
                created = await self._insert(connection, submission, row_count)
                await _keep_key(connection, submission, created.export.id)
                return created
        return _Created(
            await read_export(self._database, caller, known_id, submission.hold, of_token=None)
        )

    async def _insert(
        self, connection: Connection, submission: Submission, row_count: int | None
    ) -> "_Created":
        request = submission.request
        if row_count is None and may_be_payload(request):
            rows = await probe(connection, submission.caller, request)
            if rows.rows <= INLINE_ROWS:
                return await self._insert_completed(connection, submission, rows)
        if row_count is None:
            row_count = await count_rows(connection, request)
            self._limits.check_rows(row_count)
        return _Created(await _insert_pending(connection, request, row_count))

    async def _insert_completed(
        self, connection: Connection, submission: Submission, rows: Probe
    ) -> "_Created":
        request = submission.request.convert_to_payload()
        async with open_inline_rows(connection, submission.request, rows) as stream:
            payload = await _read_payload(
                stream, rows.rows, submission.hold, submission.request.payload_bytes
            )
        row = await _insert_row(
            connection,
            sql("exports/create_completed_export"),
            new_export_id(),
            request.as_json,
            stream.rows_done,
            stream.bytes_done,
            stream.sha256,
            payload.finish(),
            self._lifetime_ms,
            rows.expired_rows,
        )
        export = make_export(row, payload_json=payload.render_json())
        line = make_line(submission.caller.tenant_id, export, request, row)
        return _Created(export, sealed=await line.add(connection), untold=bool(row["untold"]))


@dataclass(frozen=True)
class _Created:
    """An export; whether it has its line in the chain or needs none yet; whether to tell of it."""

    export: Export
    sealed: bool = True
    untold: bool = False


class _PayloadTooLarge(Exception):
    """The rows of an export are few, but have more bytes than an answer may hold."""

    def __init__(self, row_count: int) -> None:
        super().__init__()
        self.row_count = row_count


def may_be_payload(request: ExportRequest) -> bool:
    """A payload is text, and lies in the database and in the answer as it is."""
    return request.recipient is None and isinstance(request.format, TextFormat)


async def _find_known(connection: Connection, submission: Submission) -> str | None:
    """The id of the export that the key stands for already.

    Raises IdempotencyKeyInFlight while a request with this key runs, and IdempotencyKeyReused if
    it stands for a different request.
    """
    if submission.key is None:
        return None
    known = await connection.fetchrow(sql("exports/find_idempotency_key"), submission.key)
    if known is None or not known["free"]:
        raise IdempotencyKeyInFlight
    if known["export_id"] is not None and known["request_sha256"] != submission.digest:
        raise IdempotencyKeyReused
    export_id: str | None = known["export_id"]
    return export_id


async def _keep_key(connection: Connection, submission: Submission, export_id: str) -> None:
    if submission.key is None:
        return
    try:
        await connection.execute(
            sql("exports/keep_idempotency_key"), submission.key, submission.digest, export_id
        )
    except asyncpg.UniqueViolationError as fault:
        # Its first request ended after our snapshot and before we had the key.
        raise TransactionConflict from fault


async def count_rows(connection: Connection, request: ExportRequest) -> int:
    """The exact number of matching memories."""
    statement, arguments = request.selection.fill(sql("exports/count_memories"))
    row_count: int = await connection.fetchval(statement, *arguments)
    return row_count


async def _read_payload(stream: RowStream, row_count: int, hold: Hold, most_bytes: int) -> Payload:
    """Raises _PayloadTooLarge as soon as the bytes are more than an answer may hold."""
    payload, held_bytes = Payload(), _UNCOUNTED_BYTES
    async for chunk in stream:
        if stream.bytes_done > most_bytes:
            raise _PayloadTooLarge(row_count)
        if stream.bytes_done > held_bytes:
            held_bytes = min(4 * held_bytes, most_bytes)
            await hold(PAYLOAD_COPIES * held_bytes)
        await payload.add(chunk)
    return payload


async def _insert_pending(connection: Connection, request: ExportRequest, row_count: int) -> Export:
    row = await _insert_row(
        connection,
        sql("exports/create_pending_export"),
        new_export_id(),
        request.as_json,
        qualify_needs(TYPE, request.needs),
        row_count,
    )
    return make_export(row)


async def _insert_row(
    connection: Connection, statement: LiteralString, *arguments: object
) -> asyncpg.Record:
    """Raises ExportOvertaken if the snapshot holds a memory that is being erased."""
    try:
        row = await connection.fetchrow(statement, *arguments)
    except asyncpg.SerializationError as fault:
        raise ExportOvertaken from fault
    if row is None:
        raise UnknownToken  # its tenant is being deleted
    return row
