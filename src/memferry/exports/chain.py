"""The chain of a tenant's manifests: each completed export gets one line in it.

An inline export adds its line in its own transaction, if nobody else of the tenant adds one at that
moment; a queued one in the transaction that publishes it, in the tenant's turn. What is completed
without a line (that moment, a killed process) is sealed by the request that made it, or by the one
that asks for its manifest, or by a sweep.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from uuid import UUID

import asyncpg
import msgspec

from memferry.database.pool import Connection, Database, take_turn
from memferry.database.sql import sql
from memferry.errors import Invalid, TransactionConflict, Unavailable
from memferry.exports.manifest import Provenance, describe_export
from memferry.exports.records import make_export
from memferry.exports.request import ExportRequest
from memferry.files.manifest import seal_manifest
from memferry.files.signature import PublicKey, SigningKey
from memferry.model.export import Export, Part
from memferry.model.job import Claim, Result
from memferry.telemetry import log_event

_TURN = "manifests"
# A worker has the turn while it writes a manifest to the store, and gives up after 10 s.
_WORKER_WAIT_MS, _REQUEST_WAIT_MS = 15_000, 1_000
_SWEPT_AT_ONCE = 500


@dataclass(frozen=True)
class Line:
    """One line of the chain, and the manifest that it stands for."""

    sequence: int
    export_id: str
    text: bytes

    async def add(self, connection: Connection) -> bool:
        """Add the line; False if another one has its place, and the transaction can go on."""
        added: bool = await connection.fetchval(
            sql("exports/add_manifest"),
            self.sequence,
            self.export_id,
            sha256(self.text).digest(),
            self.text.decode(),
        )
        return added


def make_line(tenant_id: UUID, export: Export, request: ExportRequest, row: asyncpg.Record) -> Line:
    """The line of a completed export; `row` tells the last line, the key and the schema."""
    sequence = (row["last_sequence"] or 0) + 1
    provenance = Provenance(
        tenant_id=tenant_id,
        sequence=sequence,
        previous=row["last_sha256"],
        schema=row["schema"],
        namespaces=row["namespaces"],
    )
    document = describe_export(export, request, provenance)
    return Line(sequence, export.id, seal_manifest(document, SigningKey(row["signing_key"])))


@asynccontextmanager
async def extend_chain(
    connection: Connection,
    claim: Claim,
    result: Result,
    save: Callable[[bytes], Awaitable[None]],
) -> AsyncIterator[int | None]:
    """Add the line of a queued export around the statement that publishes it.

    `save` writes the manifest beside the file before anybody is told. Yields when the export counts
    as completed; None if there is no such export any more.
    """
    await take_turn(connection, _TURN, wait_ms=_WORKER_WAIT_MS)
    row = await connection.fetchrow(sql("exports/read_chain"), claim.job_id)
    if row is None:
        yield None
        return
    export = _complete_export(make_export(row), result, row["now"])
    line = make_line(claim.tenant_id, export, ExportRequest.read(row["request"]), row)
    await save(line.text)
    yield row["now"]
    if not await line.add(connection):
        raise TransactionConflict


def _complete_export(export: Export, result: Result, completed_at: int) -> Export:
    """The export as it is once its result is published."""
    parts = None
    if result.parts is not None:
        parts = msgspec.json.decode(result.parts, type=list[Part])
    return replace(
        export,
        row_count=result.rows,
        expired_rows=result.expired_rows,
        bytes_done=result.size_bytes,
        sha256=result.sha256,
        file_bytes=result.file_bytes,
        file_sha256=result.file_sha256,
        snapshot_at=result.snapshot_at,
        completed_at=completed_at,
        parts=parts,
    )


class Chain:
    """The chains of all tenants: seals what was completed without a line."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def seal(self, tenant_id: UUID, export_id: str) -> bool:
        """Add the line of a completed export; False if it has one, or cannot have one now."""
        try:
            async with self._database.tenant(tenant_id) as connection:
                await take_turn(connection, _TURN, wait_ms=_REQUEST_WAIT_MS)
                if not await connection.fetchval(sql("exports/lock_completed"), export_id):
                    return False
                row = await connection.fetchrow(sql("exports/read_chain"), export_id)
                if row is None:
                    return False
                request = ExportRequest.read(row["request"])
                return await make_line(tenant_id, make_export(row), request, row).add(connection)
        except (TransactionConflict, Invalid) as fault:
            # The turn was not ours in time, or only a newer version understands the request.
            log_event("manifest.deferred", export=export_id, reason=fault)
            return False

    async def seal_overdue(self) -> None:
        """Seal completed exports that have no line, some hundreds at a time."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(sql("exports/find_unsealed_exports"), _SWEPT_AT_ONCE)
        for row in rows:
            try:
                await self.seal(row["tenant_id"], row["id"])
            except Unavailable:
                raise
            except Exception as fault:  # noqa: BLE001 - whatever it was, the others must be sealed
                log_event("manifest.failed", export=row["id"], raised=fault)

    async def read_public_key(self) -> PublicKey:
        """The public half of the key that signs."""
        async with self._database.connection() as connection:
            seed = await connection.fetchval(sql("database/get_key"), "manifests")
        return SigningKey(seed).public
