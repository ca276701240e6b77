"""A hot standby from which exports are read, so that they do not delay requests on the primary."""

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
from memferry.model.export import Claim
from memferry.telemetry import log_event

WAIT_SECONDS = 10
"""How long an export waits until the standby has replayed what it must hold."""
_POLL_SECONDS = 0.01
_PROMOTED = "it is not in recovery: it was promoted, or never was a standby"


@dataclass(frozen=True)
class Position:
    """How far the primary was in its write-ahead log, and when."""

    taken_at: int
    """Epoch ms by the primary's clock: what was answered before is before the position."""
    lsn: int
    identity: bytes
    """Of the database."""

    @classmethod
    async def read(cls, primary: Connection) -> Self:
        """The position now. Raises DatabaseUnavailable if the server is a standby itself by now."""
        row = await primary.fetchrow(sql("database/read_position"))
        if row is None:
            raise DatabaseUnavailable
        return cls(**row)


class Standby:
    """Begins transactions on a standby that show all that the primary had committed before.

    What proves that it is a standby of this primary: it is in recovery, and the transaction shows
    the claim of its export, which the primary has committed a moment ago.
    """

    def __init__(
        self,
        primary: Database,
        database: Database,
        *,
        wait_seconds: float = WAIT_SECONDS,
        rest_seconds: float = 15,
    ) -> None:
        """`database` is the standby: it is waited for so long, and left alone after a refusal."""
        self._primary = primary
        self.database = database
        self._wait_seconds = wait_seconds
        self._rest_seconds = rest_seconds
        self._rests_until = float("-inf")
        self._told: str | None = None

    async def begin(
        self, claim: Claim, transaction: AsyncExitStack
    ) -> tuple[Connection, int] | None:
        """A transaction with a snapshot, and a time by the primary's clock.

        Whatever the primary had answered by then is in the snapshot, which ends with `transaction`.
        None: the standby is not fit to be read now, and the log says why.
        """
        clock = asyncio.get_running_loop().time
        if clock() < self._rests_until:
            return None
        async with self._primary.connection() as connection:
            position = await Position.read(connection)
        try:
            async with asyncio.timeout(self._wait_seconds):
                connection = await transaction.enter_async_context(self._shown(claim, position))
        except (MemferryError, TimeoutError, asyncpg.PostgresError) as fault:
            self._rests_until = clock() + self._rest_seconds
            self._tell(self._describe(fault))
            return None
        self._tell(None)
        return connection, position.taken_at

    @asynccontextmanager
    async def _shown(self, claim: Claim, position: Position) -> AsyncIterator[Connection]:
        """A transaction that began on a session where the position had been replayed."""
        async with self.database.tenant(
            claim.tenant_id,
            snapshot=True,
            patient=True,
            ready=partial(wait_for_replay, position),
        ) as connection:
            row = await connection.fetchrow(
                sql("database/find_claim"), claim.export_id, claim.attempt, claim.worker
            )
            # Looked at after the snapshot was taken: a promotion that comes later changes nothing.
            if row is None or not row["in_recovery"]:
                raise Misconfigured(_PROMOTED)
            if not row["shown"]:
                raise Misconfigured("it does not show what the primary has committed")
            yield connection

    def _describe(self, fault: Exception) -> str:
        if isinstance(fault, TimeoutError):
            return f"it has not replayed within {self._wait_seconds:g} s what the primary has"
        return str(fault.__cause__ or "") or str(fault)

    def _tell(self, reason: str | None) -> None:
        """Say in the log what has changed, once however many exports meet it."""
        if reason == self._told:
            return
        if reason is None:
            log_event("standby.returned")
        else:
            log_event("standby.skipped", reason=reason)
        self._told = reason


async def wait_for_replay(position: Position, standby: Connection) -> None:
    """Return once the standby has replayed the log up to there.

    Raises Misconfigured if the server is no standby, or one of another database.
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
