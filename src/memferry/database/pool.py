"""Connections as the service role, one tenant at a time."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import (
    AbstractAsyncContextManager,
    asynccontextmanager,
    nullcontext,
    suppress,
)
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

import asyncpg

from memferry.database.connection_shares import ConnectionShares
from memferry.database.faults import BROKEN, translated_errors
from memferry.database.literal import array
from memferry.database.sessions import SLOW_READER, Session, quota_settings, service_settings
from memferry.database.sql import sql
from memferry.errors import DatabaseUnavailable
from memferry.model.token import Caller, ip_address
from memferry.settings import DatabaseSettings, Quotas

# A text, since asyncpg's classes take type arguments only in its stubs.
Connection: TypeAlias = (
    "asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
)
Prepared: TypeAlias = "asyncpg.prepared_stmt.PreparedStatement[asyncpg.Record]"

SERVICE_ROLE = "memferry_service"
_PATIENCE = (
    "SET LOCAL statement_timeout = {ms}; SET LOCAL idle_in_transaction_session_timeout = 0;"
    + SLOW_READER
)
# The first query takes the snapshot. In the message that begins the transaction it runs within
# microseconds of now(), which all statements of one message share.
_TAKE_SNAPSHOT = "SELECT"
# For ranges of a sorted index: the planner overrates what the comparison of rows lets through.
_IN_ORDER = "".join(f"SET LOCAL enable_{way} = off;" for way in ("sort", "seqscan", "bitmapscan"))
_SNAPSHOT_NAME = re.compile(r"[0-9A-F]+(-[0-9A-F]+)*")
# Behind the lock a statement sees all that its last holder did. Whoever stops within a turn, with
# a process that was halted or a network that was cut, holds the others up for these 5 s.
_TAKE_TURN = """
BEGIN;
SET LOCAL idle_in_transaction_session_timeout = '5s';
SELECT pg_advisory_xact_lock(hashtextextended('memferry turn', 0));
"""
# After the server's own limit, for a server that does not answer any more.
_ANSWER_SECONDS = 5
_ROLLBACK_SECONDS = 5
_CLOSE_SECONDS = 5
UNLIMITED_SECONDS = 30 * 24 * 3600.0
"""For statements that something else bounds than the time since they began."""
_CONNECT_SECONDS = 5
_ACQUIRE_SECONDS = 10


@dataclass(frozen=True)
class SharedSnapshot:
    """A snapshot that a running transaction lets others read, by the name PostgreSQL gave it.

    https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-SNAPSHOT-SYNCHRONIZATION
    """

    name: str
    server_started_at: datetime
    """Which server has it: another one may know another snapshot by this name."""

    def __post_init__(self) -> None:
        if not _SNAPSHOT_NAME.fullmatch(self.name):
            raise DatabaseUnavailable

    @property
    def adopt(self) -> str:
        """The statement that a transaction must begin with."""
        return f"SET TRANSACTION SNAPSHOT '{self.name}';"

    async def check_server(self, connection: Connection) -> None:
        """Raises DatabaseUnavailable on the session of another server, as balancers hand out."""
        if await connection.fetchval(sql("database/read_server_start")) != self.server_started_at:
            raise DatabaseUnavailable


class Database:
    """A pool of connections that can read and write only through the service role's views.

    Nothing is connected until it is needed, and a lost connection is replaced on its next use: the
    process starts while the server is away, and recovers without a restart.
    """

    def __init__(
        self,
        url: str,
        settings: DatabaseSettings = DatabaseSettings(),
        quotas: Quotas = Quotas(),
        *,
        patient_seconds: int | None = None,
        program: str = "memferry",
        on_connect: Callable[[int], object] | None = None,
        shares: ConnectionShares | None = None,
    ) -> None:
        """`url` wins over the one of the settings; statements read the quotas from the session.

        `patient_seconds` is how long a statement of a patient transaction may take, unless given
        as long as one of a bulk save. With `shares` no caller's tenant takes all connections from
        the others.

        `program` is what `pg_stat_activity` shows as the application of the sessions. `on_connect`
        is told the process id of the server's end of each new connection.
        """
        patient_seconds = patient_seconds or settings.bulk_statement_seconds
        self._settings = settings
        self._quotas = quotas
        self._shares = shares
        self._program = program
        self._on_connect = on_connect
        self._url = url
        self._patience = _PATIENCE.format(ms=patient_seconds * 1000)
        self.patient_timeout = float(patient_seconds + _ANSWER_SECONDS)
        """How long a patient statement is waited for, in seconds."""
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None

    async def open(self) -> None:
        """Make the pool; connects to nothing yet."""
        self._pool = await asyncpg.create_pool(
            self._url,
            min_size=0,
            max_size=self._settings.pool_size,
            timeout=_CONNECT_SECONDS,
            command_timeout=self._settings.statement_seconds + _ANSWER_SECONDS,
            init=self._connected,
            reset=_forget_nothing,
            connection_class=Session,
            server_settings=service_settings(
                SERVICE_ROLE, self._program, self._settings.statement_seconds * 1000
            )
            | quota_settings(self._quotas),
        )

    async def _connected(self, connection: Connection) -> None:
        if self._on_connect is not None:
            self._on_connect(connection.get_server_pid())

    async def close(self) -> None:
        """Close every connection; those in use get a moment to finish, cut ones are dropped."""
        if self._pool is None:
            return
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._pool.close()
        except BROKEN:
            self._pool.terminate()

    @asynccontextmanager
    async def connection(
        self, on_behalf_of: UUID | None = None, *, heavy: bool = False
    ) -> AsyncIterator[Connection]:
        """A connection that belongs to no tenant: only the views across tenants answer on it.

        One that does not answer in time is dropped. It is one of the share of a tenant on whose
        behalf it is used; raises TooMuchAtOnce or Busy if none of that is free for long. What the
        database will work on for longer than an instant is `heavy`.
        """
        if self._pool is None:
            raise DatabaseUnavailable
        async with self._share(on_behalf_of, heavy=heavy):
            with translated_errors():
                async with self._pool.acquire(timeout=_ACQUIRE_SECONDS) as connection:
                    try:
                        yield connection
                    except TimeoutError:
                        # The pool would wait until the server has given up the statement.
                        _drop(connection)
                        raise

    def _share(self, tenant_id: UUID | None, *, heavy: bool) -> AbstractAsyncContextManager[None]:
        if self._shares is None or tenant_id is None:
            return nullcontext()
        return self._shares.take(tenant_id, heavy=heavy)

    @asynccontextmanager
    async def own_sessions(self) -> AsyncIterator[Connection]:
        """A transaction as whoever has logged in, who may see and end sessions of the same role."""
        async with self.connection() as connection, _committed(connection):
            await connection.execute("BEGIN; SET LOCAL ROLE NONE;")
            yield connection

    @asynccontextmanager
    async def turn(self, statement: str) -> AsyncIterator[Prepared]:
        """A transaction across tenants beside which no other turn runs, in any process.

        For one quick statement that must count what others do: turns wait for each other. It is
        prepared before: a session is not idle, and so outlives every timeout, while it waits for
        what follows a preparation
        (https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY).
        """
        async with self.connection() as connection:
            prepared = await connection.prepare(statement)
            async with _committed(connection):
                await connection.execute(_TAKE_TURN)
                yield prepared

    @asynccontextmanager
    async def tenant(
        self,
        whose: UUID | Caller,
        *,
        snapshot: bool | SharedSnapshot = False,
        patient: bool = False,
        in_order: bool = False,
        heavy: bool = False,
        ready: Callable[[Connection], Awaitable[None]] | None = None,
    ) -> AsyncIterator[Connection]:
        """A transaction in which the views show exactly this tenant's rows.

        For a caller they show what the caller's token may see of them; a bare tenant is for work
        that no caller waits for.

        With `snapshot` every statement sees the database as it was at the first one (REPEATABLE
        READ: https://www.postgresql.org/docs/current/transaction-iso.html), and `now()` is when
        that was; a shared snapshot is that of another transaction. With `patient` the longer
        statement timeout applies. With `in_order` rows come by an index that has their order.
        `heavy` as in `connection`, for a caller's work. `ready` looks at the server before the
        transaction begins, on its own session.
        Commits at the end, rolls back on any error.
        """
        on_behalf_of = whose.tenant_id if isinstance(whose, Caller) else None
        async with (
            self.connection(on_behalf_of, heavy=heavy) as connection,
            _committed(connection),
        ):
            if isinstance(snapshot, SharedSnapshot):
                await snapshot.check_server(connection)
            if ready is not None:
                await ready(connection)
            # One round trip; SET LOCAL ends with the transaction.
            await connection.execute(
                f"BEGIN ISOLATION LEVEL {'REPEATABLE READ' if snapshot else 'READ COMMITTED'};"
                + (snapshot.adopt if isinstance(snapshot, SharedSnapshot) else "")
                + _tenant_settings(whose)
                + (self._patience if patient else "")
                + (_IN_ORDER if in_order else "")
                + (_TAKE_SNAPSHOT if snapshot else "")
            )
            yield connection


async def keep_order(connection: Connection) -> None:
    """Let rows come by an index that has their order, until the transaction ends."""
    await connection.execute(_IN_ORDER)


@asynccontextmanager
async def _committed(connection: Connection) -> AsyncIterator[None]:
    """Commit the transaction that begins in here; roll it back on any error, also in beginning."""
    try:
        yield
    except TimeoutError:
        raise  # the connection is dropped
    except BaseException:
        await _roll_back(connection)
        raise
    await connection.execute("COMMIT")


def _tenant_settings(whose: UUID | Caller) -> str:
    """The settings that the views read. UUIDs, IP addresses and hexadecimal need no quoting."""
    caller = whose if isinstance(whose, Caller) else Caller(tenant_id=whose)
    settings = {"tenant": str(caller.tenant_id)}
    if caller.token_id is not None:
        settings["caller"] = str(caller.token_id)
    if caller.namespaces is not None:
        settings["namespaces"] = array(caller.namespaces).encode().hex()
    if (address := ip_address(caller.address)) is not None:
        settings["address"] = address
    return "".join(f"SET LOCAL memferry.{name} = '{value}';" for name, value in settings.items())


async def _roll_back(connection: Connection) -> None:
    """End a failed transaction; the fault that ended it is what the caller shall see.

    A connection that cannot, since a COPY was torn from it or its network is cut, is dropped.
    """
    try:
        await connection.execute("ROLLBACK", timeout=_ROLLBACK_SECONDS)
    except BROKEN:
        _drop(connection)


def _drop(connection: Connection) -> None:
    """Cut a connection off; one that was lost has left its pool already."""
    with suppress(asyncpg.InterfaceError):
        connection.terminate()


async def listen(url: str) -> "asyncpg.Connection[asyncpg.Record]":
    """A worker's connection outside the pool, for LISTEN; the caller closes it."""
    with translated_errors():
        return await asyncpg.connect(
            url,
            timeout=_CONNECT_SECONDS,
            command_timeout=_CONNECT_SECONDS,
            connection_class=Session,
            server_settings=service_settings(SERVICE_ROLE, "memferry worker", 0),
        )


async def _forget_nothing(_connection: Connection) -> None:
    """Sessions keep no state between uses: every setting is made with SET LOCAL."""
