"""What can be done with one tenant's exports: create, get, list, open the file."""

from collections.abc import Sequence
from dataclasses import fields
from uuid import UUID

import asyncpg

from memferry.database.pool import Connection, Database
from memferry.database.sql import sql
from memferry.errors import ExportNotFound
from memferry.exports.request import ExportRequest
from memferry.exports.run import ExportRun, running_export
from memferry.model.export import INLINE_BYTES, INLINE_ROWS, Export
from memferry.model.identity import is_export_id, new_export_id

_LISTED = 100


class Exports:
    """The exports of every tenant, one tenant per call."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, tenant_id: UUID, request: ExportRequest) -> Export:
        """Run a small export at once, queue a large one. Probe and rows see one snapshot."""
        async with self._database.tenant(tenant_id, snapshot=True, patient=True) as connection:
            statement, arguments = request.selection.apply(sql("probe_export"), INLINE_ROWS + 1)
            found: int = await connection.fetchval(statement, *arguments)
            if found <= INLINE_ROWS:
                async with running_export(connection, request) as run:
                    payload = await _small(run)
                if payload is not None:
                    return await _keep(connection, request, run, payload)
            else:
                statement, arguments = request.selection.apply(sql("count_memories"))
                found = await connection.fetchval(statement, *arguments)
            return await _queue(connection, request, found)

    async def get(self, tenant_id: UUID, export_id: str) -> Export:
        """One export, with its payload if it has one; raises ExportNotFound."""
        if not is_export_id(export_id):
            raise ExportNotFound
        async with self._database.tenant(tenant_id) as connection:
            row = await connection.fetchrow(sql("get_export"), export_id)
        if row is None:
            raise ExportNotFound
        return _export(row)

    async def newest(self, tenant_id: UUID) -> Sequence[Export]:
        """The 100 most recent, newest first, without payloads."""
        async with self._database.tenant(tenant_id) as connection:
            return [_export(row) for row in await connection.fetch(sql("list_exports"), _LISTED)]


async def _small(run: ExportRun) -> bytes | None:
    """All bytes of a run, or None as soon as they are more than an answer may hold."""
    chunks: list[bytes] = []
    async for chunk in run:
        if run.bytes_done > INLINE_BYTES:
            return None
        chunks.append(chunk)
    return b"".join(chunks)


async def _keep(
    connection: Connection, request: ExportRequest, run: ExportRun, payload: bytes
) -> Export:
    row = await connection.fetchrow(
        sql("create_completed_export"),
        new_export_id(),
        request.format.name,
        request.filters_json,
        run.rows_done,
        payload,
        run.sha256,
    )
    return _export(row, payload=payload)


async def _queue(connection: Connection, request: ExportRequest, row_count: int) -> Export:
    row = await connection.fetchrow(
        sql("create_pending_export"),
        new_export_id(),
        request.format.name,
        request.filters_json,
        row_count,
    )
    return _export(row)


def _export(row: asyncpg.Record | None, **more: bytes) -> Export:
    """The export a statement over the view `exports` answered."""
    values = dict(row or {})
    known = {each.name for each in fields(Export)}
    return Export(**{name: value for name, value in values.items() if name in known} | more)
