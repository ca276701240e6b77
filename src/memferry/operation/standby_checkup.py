"""The checkup of the hot standby that exports are read from."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg

from memferry.database.pool import Connection
from memferry.database.sql import sql
from memferry.database.standby import WAIT_SECONDS, Position, wait_for_replay
from memferry.errors import MemferryError
from memferry.operation.access import DatabaseAccess
from memferry.operation.checkup import find_oldest_snapshot
from memferry.operation.findings import Finding

_NO_FEEDBACK = (
    "hot_standby_feedback is off: vacuum on the primary may end an export here, which is then read "
    "from the primary"
)


class StandbyCheckup:
    """Checks the standby, if there is one."""

    def __init__(
        self, primary: DatabaseAccess, standby: DatabaseAccess | None, snapshot_seconds: int
    ) -> None:
        self._primary = primary
        self._standby = standby
        self._snapshot_seconds = snapshot_seconds

    async def check_standby(self) -> AsyncIterator[Finding]:
        """Check whether workers can read exports from the standby, and how far it is behind."""
        if self._standby is None:
            return
        async with self._primary.connect() as primary, self._standby.connect() as standby:
            await _compare_clusters(primary, standby)
            yield await _find_lag(primary, standby)
            if await standby.fetchval(sql("operation/read_standby_feedback")) == "off":
                yield Finding("note", _NO_FEEDBACK)
            yield await find_oldest_snapshot(standby, self._snapshot_seconds)


async def _compare_clusters(primary: Connection, standby: Connection) -> None:
    """Raise MemferryError if both servers tell their cluster, and these differ."""
    theirs, ours = await _read_cluster(standby), await _read_cluster(primary)
    if None not in (theirs, ours) and theirs != ours:
        raise MemferryError(
            f"it belongs to another cluster ({theirs}) than the database ({ours}); name a "
            "standby of the database in MEMFERRY_EXPORT_DATABASE_URL"
        )


async def _read_cluster(connection: Connection) -> int | None:
    """The identifier of a cluster; None if the role may not ask for it."""
    try:
        identifier: int = await connection.fetchval(sql("operation/read_cluster"))
    except asyncpg.InsufficientPrivilegeError:
        return None
    return identifier


async def _find_lag(primary: Connection, standby: Connection) -> Finding:
    """Measure how long the standby takes to replay the primary's current position."""
    clock = asyncio.get_running_loop().time
    position, began = await Position.read(primary), clock()
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            await wait_for_replay(position, standby)
    except TimeoutError:
        lag = await standby.fetchrow(sql("operation/measure_lag"), position.lsn)
        return Finding("wrong", _describe_lag(lag))
    server = await standby.fetchval(sql("operation/read_server_version"))
    return Finding("ok", f"PostgreSQL {server}, behind the primary by {clock() - began:.1f} s")


def _describe_lag(lag: Any) -> str:
    text = f"{lag['bytes']:,} bytes behind the primary after {WAIT_SECONDS} s of waiting"
    if lag["seconds"] is not None:
        text += f", last commit replayed {lag['seconds']:.0f} s ago"
    if lag["paused"]:
        text += ", replay is paused"
    return f"{text}; exports are read from the primary"
