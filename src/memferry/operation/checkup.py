"""The checkup of the database: its schema, its log, its oldest snapshot and its workers."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import asyncpg

from memferry.database.migrate import find_missing, find_unknown, has_current_views
from memferry.database.pool import Connection
from memferry.database.sql import sql
from memferry.errors import MemferryError
from memferry.operation.access import DatabaseAccess
from memferry.operation.findings import Finding
from memferry.operation.readiness import describe_workers, fingerprint
from memferry.operation.workers import describe_worker, does_work, is_silent


class Checkup:
    """Checks one database, and changes nothing."""

    def __init__(self, access: DatabaseAccess, snapshot_seconds: int) -> None:
        """`snapshot_seconds` is how long an export may hold its snapshot."""
        self._access = access
        self._snapshot_seconds = snapshot_seconds

    async def check_database(self) -> AsyncIterator[Finding]:
        """Check that the server answers; finds its version and the identity of the database."""
        async with self._access.connect() as connection:
            server = await connection.fetchval(sql("operation/read_server_version"))
            identity = await _read_identity(connection)
        kind = self._access.kind
        yield Finding("ok", f"PostgreSQL {server}, {kind}, identity {identity or 'not made yet'}")

    async def check_schema(self) -> AsyncIterator[Finding]:
        """Check that all migrations of this version are applied, and no others."""
        async with self._access.connect() as connection:
            applied = await _list_migrations(connection)
            current = await has_current_views(connection)
        if missing := find_missing(applied):
            raise MemferryError(f"{', '.join(missing)} not applied; run: memferry migrate")
        if newer := find_unknown(applied):
            raise MemferryError(f"{', '.join(newer)} unknown to this version; run a newer memferry")
        if not current:
            raise MemferryError("the views are of another version; run: memferry migrate")
        yield Finding("ok", f"up to date ({len(applied)} migrations)")

    async def check_snapshots(self) -> AsyncIterator[Finding]:
        """Check how long the oldest snapshot of an export has held vacuum back."""
        async with self._access.connect() as connection:
            yield await find_oldest_snapshot(connection, self._snapshot_seconds)

    async def check_log(self) -> AsyncIterator[Finding]:
        """Check whether PostgreSQL's log repeats statements, which hold filters of tenants."""
        async with self._access.connect() as connection:
            rows = await connection.fetch(sql("operation/find_talkative_settings"))
        if not rows:
            yield Finding("ok", "PostgreSQL's log repeats no statement")
            return
        faults = ", ".join(row["fault"] for row in rows)
        remedies = "; ".join(row["remedy"] for row in rows)
        yield Finding(
            "note",
            f"PostgreSQL's log may repeat statements, and in them the words of filters: {faults}; "
            f"a superuser mends it with: {remedies}",
        )

    async def check_workers(self) -> AsyncIterator[Finding]:
        """Check every worker: whether it is alive and reaches its store."""
        async with self._access.connect() as connection:
            workers, exports = await _list_workers(connection)
        fault = describe_workers(workers)
        for worker in workers:
            text = f"{describe_worker(worker)}, {exports.get(worker['id'], 0)} exports in hand"
            if does_work(worker):
                yield Finding("ok", text)
            else:
                # A killed worker stays on the list, which is no fault while another one works.
                yield Finding("note" if is_silent(worker) and fault is None else "wrong", text)
        if fault is not None:
            yield Finding(
                "wrong", f"no worker does its work: {fault}; start one with: memferry worker"
            )

    async def read_identity(self) -> str | None:
        """Read the identity of the database as readiness shows it; None before any migration."""
        async with self._access.connect() as connection:
            return await _read_identity(connection)


async def find_oldest_snapshot(connection: Connection, limit_seconds: int) -> Finding:
    """Find the age of the oldest snapshot of an export; raises MemferryError over the limit."""
    seconds: float | None = await connection.fetchval(sql("operation/find_oldest_snapshot"))
    if seconds is None:
        return Finding("ok", "no export is being read")
    if seconds > limit_seconds:
        raise MemferryError(
            f"an export has held its snapshot for {seconds:.0f} s, and vacuum with it; "
            "look at the store's speed, or end it with DELETE /api/memories/exports/{id}"
        )
    return Finding(
        "ok", f"the oldest of an export is {seconds:.0f} s old (limit {limit_seconds} s)"
    )


async def _read_identity(connection: Connection) -> str | None:
    try:
        identity: bytes | None = await connection.fetchval(sql("database/get_key"), "database")
    except asyncpg.UndefinedTableError:
        return None
    return None if identity is None else fingerprint(identity)


async def _list_migrations(connection: Connection) -> set[str]:
    try:
        rows = await connection.fetch(sql("database/list_migrations"))
    except asyncpg.UndefinedTableError:
        return set()
    return {row["name"] for row in rows}


async def _list_workers(
    connection: Connection,
) -> tuple[Sequence[Mapping[str, Any]], Mapping[str, int]]:
    """The workers, and the number of running exports by the id of their worker."""
    try:
        workers = [dict(row) for row in await connection.fetch(sql("operation/list_workers"))]
        rows = await connection.fetch(sql("operation/count_jobs_at_work"))
    except asyncpg.UndefinedTableError:
        return [], {}
    return workers, {row["leased_by"]: row["jobs"] for row in rows}
