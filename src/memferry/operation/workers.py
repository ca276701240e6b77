"""Which workers are alive: they sign in, and say so again every few seconds."""

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
"""After so long without a word a worker counts as halted or gone."""


_STANDING: dict[Status, str] = {
    "working": "working",
    "store_away": "halted: cannot reach its store",
    "other_store": "halted: looks at another store",
}


def is_silent(worker: Mapping[str, Any]) -> bool:
    """Whether nothing was heard of a worker for so long that it is halted or gone."""
    silent_seconds: float = worker["silent_seconds"]
    return silent_seconds > MISSING_SECONDS


def does_work(worker: Mapping[str, Any]) -> bool:
    """Whether a worker is alive and reaches its store."""
    return not is_silent(worker) and worker["status"] == "working"


def describe_worker(worker: Mapping[str, Any]) -> str:
    """One worker in a line, for the operator: where it runs, and how it stands."""
    standing = _STANDING[worker["status"]]
    if worker["reason"] is not None:
        standing += f" ({worker['reason']})"
    if is_silent(worker):
        standing = "halted or gone"
    process = f"{worker['host']} process {worker['pid']}, memferry {worker['version']}"
    return f"{process}: {standing}, heard of {worker['silent_seconds']:.0f} s ago"


@dataclass(frozen=True)
class WorkerSignature:
    """How one worker process signs in."""

    id: str
    host: str = field(default_factory=socket.gethostname)
    pid: int = field(default_factory=os.getpid)


class Workers:
    """The list of workers of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def sign_in(self, worker: WorkerSignature, status: Status, reason: str | None) -> None:
        """Say that a worker is alive, and how it stands with its store."""
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
        """Take a worker that stops off the list."""
        async with self._database.connection() as connection:
            await connection.execute(sql("operation/sign_out_worker"), worker.id)

    async def all(self) -> Sequence[Mapping[str, Any]]:
        """Every worker on the list with the seconds since its last word, the newest word first."""
        async with self._database.connection() as connection:
            return [dict(row) for row in await connection.fetch(sql("operation/list_workers"))]

    async def others_work(self, worker: WorkerSignature) -> bool:
        """Whether another worker is alive and reaches its store."""
        async with self._database.connection() as connection:
            found: bool = await connection.fetchval(
                sql("operation/find_other_worker"), worker.id, float(MISSING_SECONDS)
            )
        return found
