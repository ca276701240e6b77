"""What a process sees of a database in virtual time: the connections, over rows in memory."""

import asyncio
import re
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import asyncpg

from memferry.database.faults import translate_errors
from memferry.database.pool import Connection, Database, Prepared, SharedSnapshot
from memferry.database.sql import sql
from memferry.model.export import Claim
from memferry.model.token import Caller
from simulation.simulated import Process, Server
from simulation.simulated_rows import Answer, Rows

_VERY_LONG_SECONDS = 100_000.0
_ROWS_AT_ONCE = 3
_BOUNDS = re.compile(r"'(-?[0-9]+)'::bigint")
_NAMESPACE = re.compile(r"namespace = '([0-9]+)'::text")
_ROWS_PER_RANGE = 5
# COPY in binary format, as `memferry.database.frames` reads it.
_COPY_HEADER, _COPY_TRAILER = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
_FRAME = struct.Struct(">hiiiqi")


def memories(namespace: str, snapshot_at: int) -> list[bytes]:
    """What a namespace held at that moment, one line each."""
    size = int(namespace) % 20
    return [b"%d %s at %d\n" % (i, namespace.encode(), snapshot_at) for i in range(size)]


_LAST_WORDS = frozenset(
    sql(name)
    for name in (
        "exports/complete_export",
        "exports/fail_export",
        "exports/release_export",
        "exports/return_export",
    )
)


class _Session:
    """One use of a connection by one process."""

    def __init__(
        self,
        process: Process,
        server: Server,
        rows: Rows,
        tenant_id: UUID | None,
        snapshot_at: int = 0,
    ) -> None:
        self._process = process
        self._server = server
        self._chance = server.chance
        self._rows = rows
        self._tenant_id = tenant_id
        self._snapshot_at = snapshot_at

    async def fetch(self, statement: str, *arguments: Any) -> Answer:
        if statement.startswith("SET LOCAL "):
            return []  # rows here have one order
        if statement in _LAST_WORDS:
            self._process.at_work = False
        return await self._server.call(
            self._process, self._rows.run, statement, self._tenant_id, arguments
        )

    async def fetchrow(self, statement: str, *arguments: Any, **_: Any) -> dict[str, Any] | None:
        if statement.startswith(sql("exports/find_range_end")[:30]):
            return await self._find_range_end(*arguments)
        found = await self.fetch(statement, *arguments)
        if not found:
            return None
        if statement == sql("exports/claim_export"):
            self._process.claim = Claim(
                tenant_id=found[0]["tenant_id"],
                export_id=found[0]["id"],
                attempt=found[0]["attempt"],
                worker=arguments[0],
            )
            self._process.at_work = True
        if statement == sql("exports/share_snapshot"):
            return found[0] | {"name": str(self._snapshot_at)}
        return found[0]

    async def fetchval(self, statement: str, *arguments: Any, **_: Any) -> Any:
        found = await self.fetch(statement, *arguments)
        if not found:
            return None
        value = next(iter(found[0].values()))
        if statement == sql("exports/read_snapshot_time"):
            self._snapshot_at = value
        return value

    execute = fetch

    async def _find_range_end(
        self, after: int, _id: UUID, _last: int, _last_id: UUID, _rows: int, namespace: str
    ) -> dict[str, Any] | None:
        """Ranges of a few rows each, whatever their size should be."""
        await self._server.call(self._process, bool)
        last = max(after, -1) + _ROWS_PER_RANGE
        if last >= len(memories(namespace, self._snapshot_at)):
            return None
        return {"created_at": last, "id": UUID(int=last)}

    async def copy_from_query(
        self, query: str, *, output: Callable[[bytes], Awaitable[None]], **_: Any
    ) -> str:
        """A few rows at a time; sometimes no next row is ever found."""
        after, last = map(int, _BOUNDS.findall(query)[:2] or (-1, 2**63))
        namespace = _NAMESPACE.findall(query)[0]
        lines = [
            line
            for created_at, line in enumerate(memories(namespace, self._snapshot_at))
            if after < created_at <= last
        ]
        await output(_COPY_HEADER)
        for index, line in enumerate(lines):
            if index % _ROWS_AT_ONCE == 0:
                await self._server.call(self._process, bool)
            record = line.removesuffix(b"\n")
            await output(_FRAME.pack(3, 4, 0, 8, 1, len(record)) + record)
        await output(_COPY_TRAILER)
        if self._chance.strikes("hang"):
            await asyncio.sleep(_VERY_LONG_SECONDS)
        await self._server.call(self._process, bool)
        return f"COPY {len(lines)}"


class SimulatedDatabase(Database):
    """What one process sees of the database; each statement is a transaction."""

    def __init__(self, process: Process, server: Server, rows: Rows) -> None:
        super().__init__("")
        self._parts = (process, server, rows)

    @asynccontextmanager
    async def connection(
        self, on_behalf_of: UUID | None = None, *, heavy: bool = False
    ) -> AsyncIterator[Connection]:
        """A connection that belongs to no tenant; there are enough for all."""
        del on_behalf_of, heavy
        with translate_errors():
            yield cast(Connection, _Session(*self._parts, None))

    @asynccontextmanager
    async def turn(self, statement: str) -> AsyncIterator[Prepared]:
        """A statement across tenants; each is one instant, so nothing runs beside it."""
        async with self.connection() as connection:
            prepared = SimpleNamespace(fetchrow=partial(connection.fetchrow, statement))
            yield cast(Prepared, prepared)

    @asynccontextmanager
    async def tenant(
        self,
        whose: UUID | Caller,
        *,
        snapshot: bool | SharedSnapshot = False,
        long_running: bool = False,
        index_order: bool = False,
        heavy: bool = False,
        ready: object = None,
    ) -> AsyncIterator[Connection]:
        """A connection that belongs to this tenant; nobody here has a limit."""
        del long_running, index_order, heavy, ready
        snapshot_at = int(snapshot.name) if isinstance(snapshot, SharedSnapshot) else 0
        tenant_id = whose.tenant_id if isinstance(whose, Caller) else whose
        with translate_errors():
            yield cast(Connection, _Session(*self._parts, tenant_id, snapshot_at))


def connection_lost() -> Exception:
    """What the driver raises when the server is away."""
    return asyncpg.ConnectionDoesNotExistError("connection was closed")
