"""A hot standby that exports are read from, so that they do not delay requests on the primary."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Self

import asyncpg

from memferry.database.pool import Connection, Database
from memferry.database.sql import sql
from memferry.errors import DatabaseUnavailable, MemferryError, Misconfigured
from memferry.model.job import Claim
from memferry.telemetry import log_event

WAIT_SECONDS = 10
"""How long an export waits until the standby has replayed the position of its claim."""
_POLL_SECONDS = 0.01
_PROMOTED = "it is not in recovery: it was promoted, or never was a standby"


@dataclass(frozen=True)
class Position:
    """A position in the primary's write-ahead log, and a time before it."""

    taken_at: int
    """Epoch ms by the primary's clock: a commit answered before it lies before the position."""
    lsn: int
    identity: bytes
    """The identity of the database."""

    @classmethod
    async def read(cls, primary: Connection) -> Self:
        """Read the current position; raises DatabaseUnavailable if the primary is a standby now."""
        row = await primary.fetchrow(sql("database/read_position"))
        if row is None:
            raise DatabaseUnavailable
        return cls(**row)


class Standby:
    """Begins transactions on a standby that show everything the primary had committed before.

    Two things prove that the server is a standby of this primary: it is in recovery, and its
    snapshot shows the claim of the export, which the primary committed a moment ago.
    """

    def __init__(
        self,
        primary: Database,
        database: Database,
        *,
        wait_seconds: float = WAIT_SECONDS,
        rest_seconds: float = 15,
    ) -> None:
        """`database` is the standby.

        An export waits for it `wait_seconds` at most; after a refusal it is not read for
        `rest_seconds`.
        """
        self._primary = primary
        self.database = database
        self._wait_seconds = wait_seconds
        self._rest_seconds = rest_seconds
        self._rests_until = float("-inf")
        self._logged: str | None = None

    async def begin(
        self, claim: Claim, transaction: AsyncExitStack
    ) -> tuple[Connection, int] | None:
        """Begin a transaction; answers its connection and a time (epoch ms) by the primary's clock.

        The snapshot holds everything that the primary had answered by that time; it ends with
        `transaction`. Answers None if the standby cannot be read now, and logs the reason.
        """
        clock = asyncio.get_running_loop().time
        if clock() < self._rests_until:
            return None
        async with self._primary.connection() as connection:
            position = await Position.read(connection)
        try:
            async with asyncio.timeout(self._wait_seconds):
                connection = await transaction.enter_async_context(self._begin(claim, position))
        except (MemferryError, TimeoutError, asyncpg.PostgresError) as fault:
            self._rests_until = clock() + self._rest_seconds
            self._log_change(self._describe(fault))
            return None
        self._log_change(None)
        return connection, position.taken_at

    @asynccontextmanager
    async def _begin(self, claim: Claim, position: Position) -> AsyncIterator[Connection]:
        """A transaction that begins once its session has replayed the position."""
        async with self.database.tenant(
            claim.tenant_id,
            snapshot=True,
            long_running=True,
            ready=partial(wait_for_replay, position),
        ) as connection:
            row = await connection.fetchrow(
                sql("database/find_claim"), claim.job_id, claim.attempt, claim.worker
            )
            # Checked after the snapshot is taken: a promotion after that does not matter.
            if row is None or not row["in_recovery"]:
                raise Misconfigured(_PROMOTED)
            if not row["shown"]:
                raise Misconfigured("it does not show what the primary has committed")
            yield connection

    def _describe(self, fault: Exception) -> str:
        if isinstance(fault, TimeoutError):
            return f"it has not replayed within {self._wait_seconds:g} s what the primary has"
        return str(fault.__cause__ or "") or str(fault)

    def _log_change(self, reason: str | None) -> None:
        """Log why the standby is not read (None: it is), once until that changes."""
        if reason == self._logged:
            return
        if reason is None:
            log_event("standby.returned")
        else:
            log_event("standby.skipped", reason=reason)
        self._logged = reason


async def wait_for_replay(position: Position, standby: Connection) -> None:
    """Wait until the standby has replayed the log up to a position.

    Raises Misconfigured if the server is no standby, or a standby of another database.
    """
    while True:
        row = await standby.fetchrow(
            sql("database/look_at_replay"), position.lsn, position.identity
        )
        if row is None or not row["in_recovery"]:
            raise Misconfigured(_PROMOTED)
        if not row["same_database"]:
            raise Misconfigured("it is a standby of another database")
        if row["replayed"]:
            return
        await asyncio.sleep(_POLL_SECONDS)
