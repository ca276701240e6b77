"""Readiness: whether the database, the object store and a worker are there."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from memferry.database.migrate import find_missing
from memferry.database.pool import Database
from memferry.database.sql import sql
from memferry.errors import Misconfigured, OtherStore, Unavailable
from memferry.operation.store_identity import StoreIdentity
from memferry.operation.workers import Workers, does_work, is_silent

OK = "ok"
_SECONDS = 5
_FRESH_SECONDS = 1.0
_OTHER_SCHEMA = "no schema of memferry, or that of an older version"
_NOT_CHECKED = "not looked at"
_SHOWN_DIGITS = 8


@dataclass(frozen=True)
class Report:
    """The state of each part, `ok` or a fault; it names no host, path or tenant."""

    database: str
    store: str
    worker: str
    database_id: str | None = None
    """The first digits of a digest of the database's identity, which tell two databases apart."""

    @property
    def ready(self) -> bool:
        """Whether every part is `ok`."""
        return self.database == self.store == self.worker == OK

    @property
    def faults(self) -> str:
        """The faults of all parts in one line."""
        parts = {"database": self.database, "store": self.store, "worker": self.worker}
        return "; ".join(f"{name}: {fault}" for name, fault in parts.items() if fault != OK)


class Readiness:
    """Checks every part, for a few seconds at most and at most once a second.

    No token is needed to ask, so many may ask at once: they share one check.
    """

    def __init__(self, database: Database, identity: StoreIdentity, workers: Workers) -> None:
        self._database = database
        self._identity = identity
        self._workers = workers
        self._checking = asyncio.Lock()
        self._report: Report | None = None
        self._checked_at = 0.0

    async def report(self) -> Report:
        """The state of all parts, at most a second old; a fault of a part is no exception."""
        clock = asyncio.get_running_loop().time
        async with self._checking:
            if self._report is None or clock() - self._checked_at > _FRESH_SECONDS:
                self._report = await self._check_parts()
                self._checked_at = clock()
            return self._report

    async def _check_parts(self) -> Report:
        database_id, database = await _check(self._read_identity)
        if database_id is None:
            return Report(database, _NOT_CHECKED, _NOT_CHECKED)
        (_, store), (workers, worker) = await asyncio.gather(
            _check(self._identity.check), _check(self._workers.list_all)
        )
        if workers is not None:
            worker = describe_workers(workers) or OK
        return Report(database, store, worker, database_id)

    async def _read_identity(self) -> str:
        async with self._database.connection() as connection:
            rows = await connection.fetch(sql("database/list_migrations"))
            # A schema with later migrations still serves this version.
            if find_missing([row["name"] for row in rows]):
                raise Misconfigured(_OTHER_SCHEMA)
            identity: bytes = await connection.fetchval(sql("database/get_key"), "database")
        return fingerprint(identity)


def fingerprint(identity: bytes) -> str:
    """The digits by which an identity is shown."""
    return hashlib.sha256(identity).hexdigest()[:_SHOWN_DIGITS]


def describe_workers(workers: Sequence[Any]) -> str | None:
    """The fault if no worker does its work; None if at least one does."""
    if any(does_work(worker) for worker in workers):
        return None
    if not workers:
        return "none has signed in"
    alive = [worker for worker in workers if not is_silent(worker)]
    if not alive:
        silent = min(worker["silent_seconds"] for worker in workers)
        return f"none has been heard of for {silent:.0f} s: it is halted, or gone"
    if any(worker["status"] == "other_store" for worker in alive):
        return "it looks at another store than this database's"
    return "it cannot reach its store"


async def _check(check: Callable[[], Awaitable[Any]]) -> tuple[Any, str]:
    """Run a check; answers its result and `ok`, or None and the fault."""
    try:
        async with asyncio.timeout(_SECONDS):
            return await check(), OK
    except OtherStore:
        return None, "another one than this database's"
    except Unavailable:
        return None, "away"
    except TimeoutError:
        return None, "does not answer"
    except (Misconfigured, asyncpg.PostgresError):
        return None, _OTHER_SCHEMA
