"""The list of workers: each signs in, and repeats that as a heartbeat every few seconds."""

import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any, Literal

from memferry.database.pool import Database
from memferry.database.sql import sql

Status = Literal["working", "store_away", "other_store"]
HEARTBEAT_SECONDS = 5
MISSING_SECONDS = 20
"""A worker without a heartbeat for this long counts as halted or gone."""


_STATUS_TEXTS: dict[Status, str] = {
    "working": "working",
    "store_away": "halted: cannot reach its store",
    "other_store": "halted: looks at another store",
}


def is_silent(worker: Mapping[str, Any]) -> bool:
    """Whether the last heartbeat of a worker is so old that it counts as halted or gone."""
    silent_seconds: float = worker["silent_seconds"]
    return silent_seconds > MISSING_SECONDS


def does_work(worker: Mapping[str, Any]) -> bool:
    """Whether a worker is alive and reaches its store."""
    return not is_silent(worker) and worker["status"] == "working"


def describe_worker(worker: Mapping[str, Any]) -> str:
    """Describe a worker in one line for the operator: its host, process, version and status."""
    status = _STATUS_TEXTS[worker["status"]]
    if worker["reason"] is not None:
        status += f" ({worker['reason']})"
    if is_silent(worker):
        status = "halted or gone"
    process = f"{worker['host']} process {worker['pid']}, memferry {worker['version']}"
    return f"{process}: {status}, heard of {worker['silent_seconds']:.0f} s ago"


@dataclass(frozen=True)
class WorkerSignature:
    """The identity of one worker process."""

    id: str
    host: str = field(default_factory=socket.gethostname)
    pid: int = field(default_factory=os.getpid)


class Workers:
    """The list of workers of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def sign_in(self, worker: WorkerSignature, status: Status, reason: str | None) -> None:
        """Record a heartbeat of a worker, and whether it reaches its store."""
        async with self._database.connection() as connection:
            await connection.execute(
                sql("operation/sign_in_worker"),
                worker.id,
                worker.host,
                worker.pid,
                version("memferry"),
                status,
                reason,
            )

    async def sign_out(self, worker: WorkerSignature) -> None:
        """Remove a worker that stops from the list."""
        async with self._database.connection() as connection:
            await connection.execute(sql("operation/sign_out_worker"), worker.id)

    async def list_all(self) -> Sequence[Mapping[str, Any]]:
        """Every worker with the seconds since its last heartbeat, the latest heartbeat first."""
        async with self._database.connection() as connection:
            return [dict(row) for row in await connection.fetch(sql("operation/list_workers"))]

    async def has_other(self, worker: WorkerSignature) -> bool:
        """Whether another worker is alive and reaches its store."""
        async with self._database.connection() as connection:
            exists: bool = await connection.fetchval(
                sql("operation/find_other_worker"), worker.id, float(MISSING_SECONDS)
            )
        return exists
