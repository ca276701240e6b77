"""Connections of the service role, and transactions of one tenant."""

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
from enum import Enum
from typing import Literal, LiteralString, TypeAlias
from uuid import UUID

import asyncpg

from memferry.database.connection_shares import ConnectionShares
from memferry.database.faults import BROKEN, translate_errors
from memferry.database.literals import array
from memferry.database.sessions import SLOW_READER, Session, quota_settings, service_settings
from memferry.database.sql import sql
from memferry.errors import DatabaseUnavailable
from memferry.model.token import Caller, normalize_ip_address
from memferry.settings import DatabaseSettings, Quotas

# In quotes: only the stubs of asyncpg's classes take type arguments.
Connection: TypeAlias = (
    "asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
)
Prepared: TypeAlias = "asyncpg.prepared_stmt.PreparedStatement[asyncpg.Record]"

Via: TypeAlias = Literal["api", "batch", "project", "restore", "import", "expiry"]
"""On which way changes of memories come, as the change log notes it."""

SERVICE_ROLE = "memferry_service"
_LONG_RUNNING = (
    "SET LOCAL statement_timeout = {ms}; SET LOCAL idle_in_transaction_session_timeout = 0;"
    + SLOW_READER
)
# The first query takes the snapshot. Sent in the same message as BEGIN, it runs within microseconds
# of now(), which is the start of that message.
_TAKE_SNAPSHOT = "SELECT"
_PIN_MOMENT = "SET LOCAL memferry.moment = '{ms}';"
_SNAPSHOT_NAME = re.compile(r"[0-9A-F]+(-[0-9A-F]+)*")
# A statement behind the lock sees all that the last holder committed. A holder whose process is
# stopped, or whose network is cut, blocks the others for 5 s.
_LOCK_EXCLUSIVELY = """
BEGIN;
SET LOCAL idle_in_transaction_session_timeout = '5s';
SELECT pg_advisory_xact_lock(hashtextextended('memferry turn', 0));
"""
# As above, for a turn whose holder may write a small object to the store.
_END_IDLE_TURN = "SET LOCAL idle_in_transaction_session_timeout = '12s';"
# Added to the server's own limit, for a server that no longer answers.
_ANSWER_SECONDS = 5
_ROLLBACK_SECONDS = 5
_CLOSE_SECONDS = 5
UNLIMITED_SECONDS = 30 * 24 * 3600.0
"""The timeout of statements that are limited in another way than by the time since they began."""
_CONNECT_SECONDS = 5
_ACQUIRE_SECONDS = 10


@dataclass(frozen=True)
class SharedSnapshot:
    """A snapshot that a running transaction has exported, by its name in PostgreSQL.

    https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-SNAPSHOT-SYNCHRONIZATION
    """

    name: str
    server_started_at: datetime
    """The start of the server that has it; another server may have a snapshot of the same name."""

    def __post_init__(self) -> None:
        if not _SNAPSHOT_NAME.fullmatch(self.name):
            raise DatabaseUnavailable

    @property
    def adoption(self) -> str:
        """The statement by which a transaction adopts the snapshot, right after BEGIN."""
        return f"SET TRANSACTION SNAPSHOT '{self.name}';"

    async def check_server(self, connection: Connection) -> None:
        """Raise DatabaseUnavailable unless the connection leads to the server of the snapshot.

        Behind a load balancer it may lead to another one.
        """
        if await connection.fetchval(sql("database/read_server_start")) != self.server_started_at:
            raise DatabaseUnavailable


class Planner(Enum):
    """How the planner plans the statements of a transaction."""

    USUAL = ""
    INDEX_ORDER = "".join(
        f"SET LOCAL enable_{way} = off;" for way in ("sort", "seqscan", "bitmapscan")
    )
    """For ranges of a sorted index: it overestimates the selectivity of a row comparison."""


class Database:
    """A pool of connections as the service role, which reads and writes only through views.

    It connects when a connection is needed, and replaces a lost one at its next use: the process
    starts while the server is away, and recovers without a restart.
    """

    def __init__(
        self,
        url: str,
        settings: DatabaseSettings = DatabaseSettings(),
        quotas: Quotas = Quotas(),
        *,
        long_running_seconds: int | None = None,
        program: str = "memferry",
        on_connect: Callable[[int], object] | None = None,
        shares: ConnectionShares | None = None,
    ) -> None:
        """`url` is used in place of the address in the settings.

        Statements read the quotas as settings of the session. `long_running_seconds` limits a
        statement of a long-running transaction; None means the time of a bulk save. `shares` limits
        the connections of each caller's tenant. `program` is the sessions' `application_name`.
        `on_connect` is called with the process id of the server process of each new connection.
        """
        long_running_seconds = long_running_seconds or settings.bulk_statement_seconds
        self._settings = settings
        self._quotas = quotas
        self._shares = shares
        self._program = program
        self._on_connect = on_connect
        self._url = url
        self._long_running = _LONG_RUNNING.format(ms=long_running_seconds * 1000)
        self.long_running_timeout = float(long_running_seconds + _ANSWER_SECONDS)
        """The timeout of a statement of a long-running transaction, in seconds."""
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None

    async def open(self) -> None:
        """Create the pool, without any connection yet."""
        self._pool = await asyncpg.create_pool(
            self._url,
            min_size=0,
            max_size=self._settings.pool_size,
            timeout=_CONNECT_SECONDS,
            command_timeout=self._settings.statement_seconds + _ANSWER_SECONDS,
            init=self._report_connection,
            reset=_keep_session,
            connection_class=Session,
            server_settings=service_settings(
                SERVICE_ROLE, self._program, self._settings.statement_seconds * 1000
            )
            | quota_settings(self._quotas),
        )

    async def _report_connection(self, connection: Connection) -> None:
        if self._on_connect is not None:
            self._on_connect(connection.get_server_pid())

    async def close(self) -> None:
        """Close every connection; those that are still in use after 5 s are cut."""
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
        """A connection without a tenant: only the views across tenants can be read on it.

        With `on_behalf_of` it counts towards the share of that tenant; raises TooMuchAtOnce or Busy
        if no connection becomes free in time. `heavy` is for statements that may take long, which
        have a smaller share. A connection whose statement times out is dropped.
        """
        if self._pool is None:
            raise DatabaseUnavailable
        async with self._share(on_behalf_of, heavy=heavy):
            with translate_errors():
                async with self._pool.acquire(timeout=_ACQUIRE_SECONDS) as connection:
                    try:
                        yield connection
                    except TimeoutError:
                        # Otherwise the pool waits until the server has cancelled the statement.
                        _drop(connection)
                        raise

    def _share(self, tenant_id: UUID | None, *, heavy: bool) -> AbstractAsyncContextManager[None]:
        if self._shares is None or tenant_id is None:
            return nullcontext()
        return self._shares.take(tenant_id, heavy=heavy)

    @asynccontextmanager
    async def own_sessions(self) -> AsyncIterator[Connection]:
        """A transaction as the login role, which may see and terminate its own sessions."""
        async with self.connection() as connection, _finish_transaction(connection):
            await connection.execute("BEGIN; SET LOCAL ROLE NONE;")
            yield connection

    @asynccontextmanager
    async def prepare_exclusive(self, statement: str) -> AsyncIterator[Prepared]:
        """Prepare a statement for mutual exclusion, in a transaction across tenants.

        No other transaction of this kind runs meanwhile in any process, so a quick statement can
        count what others do. It is prepared before the lock is taken: between preparation and
        execution a session does not count as idle, and no timeout would end it
        (https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY).
        """
        async with self.connection() as connection:
            prepared = await connection.prepare(statement)
            async with _finish_transaction(connection):
                await connection.execute(_LOCK_EXCLUSIVELY)
                yield prepared

    @asynccontextmanager
    async def tenant(
        self,
        whose: UUID | Caller,
        *,
        snapshot: bool | SharedSnapshot = False,
        long_running: bool = False,
        planner: Planner = Planner.USUAL,
        heavy: bool = False,
        via: Via = "api",
        moment: int | None = None,
        ready: Callable[[Connection], Awaitable[None]] | None = None,
    ) -> AsyncIterator[Connection]:
        """A transaction in which the views show the rows of one tenant; commits at its end.

        For a caller the views show the rows that its token may see. Background work names the
        tenant alone, and counts towards no share.

        With `snapshot` every statement sees the database as the first one saw it (REPEATABLE READ:
        https://www.postgresql.org/docs/current/transaction-iso.html), and `now()` is the time of
        that; a SharedSnapshot is the snapshot of another transaction. With `long_running` the
        longer statement timeout applies. `heavy` as in `connection`. The change log notes `via`.
        What has expired by `moment` (epoch ms; None: the begin of the transaction) is not shown.
        `ready` is called on the same session before the transaction begins. Rolls back on any
        exception.
        """
        on_behalf_of = whose.tenant_id if isinstance(whose, Caller) else None
        async with (
            self.connection(on_behalf_of, heavy=heavy) as connection,
            _finish_transaction(connection),
        ):
            if isinstance(snapshot, SharedSnapshot):
                await snapshot.check_server(connection)
            if ready is not None:
                await ready(connection)
            # One round trip; SET LOCAL ends with the transaction.
            await connection.execute(
                f"BEGIN ISOLATION LEVEL {'REPEATABLE READ' if snapshot else 'READ COMMITTED'};"
                + (snapshot.adoption if isinstance(snapshot, SharedSnapshot) else "")
                + _set_tenant(whose, via)
                + ("" if moment is None else _PIN_MOMENT.format(ms=moment))
                + (self._long_running if long_running else "")
                + planner.value
                + (_TAKE_SNAPSHOT if snapshot else "")
            )
            yield connection


async def keep_order(connection: Connection) -> None:
    """Make the planner read an index that has the order, until the transaction ends."""
    await connection.execute(Planner.INDEX_ORDER.value)


async def pin_moment(connection: Connection, moment: int) -> None:
    """Decide which memories have expired at a moment (epoch ms) until the transaction ends."""
    await connection.execute(_PIN_MOMENT.format(ms=moment))


async def take_turn(connection: Connection, subject: LiteralString, *, wait_ms: int) -> None:
    """Be the only transaction of its tenant with the turn of a subject, until it ends.

    Raises TransactionConflict if another one has the turn for longer than `wait_ms`.
    """
    with translate_errors():
        await connection.execute(
            f"SET LOCAL lock_timeout = {wait_ms};"
            + _END_IDLE_TURN
            + "SELECT pg_advisory_xact_lock("
            f"hashtextextended('memferry {subject} ' || current_setting('memferry.tenant'), 0));"
            "SET LOCAL lock_timeout = 0;"
        )


@asynccontextmanager
async def _finish_transaction(connection: Connection) -> AsyncIterator[None]:
    """Commit the transaction that the block begins; roll it back on any exception."""
    try:
        yield
    except TimeoutError:
        raise  # the connection is dropped
    except BaseException:
        await _roll_back(connection)
        raise
    await connection.execute("COMMIT")


def _set_tenant(whose: UUID | Caller, via: Via) -> str:
    """The SET LOCAL statements of the settings that the views and triggers read.

    Their values are UUIDs, IP addresses, hexadecimal digits and words, which need no quoting.
    """
    caller = whose if isinstance(whose, Caller) else Caller(tenant_id=whose)
    settings = {"tenant": str(caller.tenant_id), "via": via}
    if caller.token_id is not None:
        settings["caller"] = str(caller.token_id)
    if caller.namespaces is not None:
        settings["namespaces"] = array(caller.namespaces).encode().hex()
    if (address := normalize_ip_address(caller.address)) is not None:
        settings["address"] = address
    return "".join(f"SET LOCAL memferry.{name} = '{value}';" for name, value in settings.items())


async def _roll_back(connection: Connection) -> None:
    """End a failed transaction without an exception of its own, which would hide the first one.

    A connection that cannot roll back, after a torn COPY or a cut network, is dropped.
    """
    try:
        await connection.execute("ROLLBACK", timeout=_ROLLBACK_SECONDS)
    except BROKEN:
        _drop(connection)


def _drop(connection: Connection) -> None:
    """Cut a connection; a lost one has left its pool already, which asyncpg reports as an error."""
    with suppress(asyncpg.InterfaceError):
        connection.terminate()


async def listen(url: str) -> "asyncpg.Connection[asyncpg.Record]":
    """Open a connection outside the pool for the LISTEN of a worker; the caller closes it."""
    with translate_errors():
        return await asyncpg.connect(
            url,
            timeout=_CONNECT_SECONDS,
            command_timeout=_CONNECT_SECONDS,
            connection_class=Session,
            server_settings=service_settings(SERVICE_ROLE, "memferry worker", 0),
        )


async def _keep_session(_connection: Connection) -> None:
    """Reset nothing between uses: every setting is made with SET LOCAL."""
