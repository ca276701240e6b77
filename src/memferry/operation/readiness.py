"""Whether the service can do its work: its database, its store, and a worker."""

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
_NOT_LOOKED_AT = "not looked at"
_SHOWN_DIGITS = 8


@dataclass(frozen=True)
class Report:
    """Each part with `ok` or what is wrong with it; nothing that only insiders may know."""

    database: str
    store: str
    worker: str
    database_id: str | None = None
    """The first digits of a digest: enough to tell two databases apart."""

    @property
    def ready(self) -> bool:
        """Whether every part is well."""
        return self.database == self.store == self.worker == OK

    @property
    def faults(self) -> str:
        """What is wrong, in one line."""
        parts = {"database": self.database, "store": self.store, "worker": self.worker}
        return "; ".join(f"{name}: {fault}" for name, fault in parts.items() if fault != OK)


class Readiness:
    """Looks at every part for a few seconds at most, and at most once a second.

    Whoever asks needs no token, and many may ask: they share one look.
    """

    def __init__(self, database: Database, identity: StoreIdentity, workers: Workers) -> None:
        self._database = database
        self._identity = identity
        self._workers = workers
        self._looking = asyncio.Lock()
        self._report: Report | None = None
        self._looked_at = 0.0

    async def report(self) -> Report:
        """How the parts are now; never raises for one that is not well."""
        clock = asyncio.get_running_loop().time
        async with self._looking:
            if self._report is None or clock() - self._looked_at > _FRESH_SECONDS:
                self._report = await self._look_at_parts()
                self._looked_at = clock()
            return self._report

    async def _look_at_parts(self) -> Report:
        database_id, database = await _look(self._read_identity)
        if database_id is None:
            return Report(database, _NOT_LOOKED_AT, _NOT_LOOKED_AT)
        (_, store), (workers, worker) = await asyncio.gather(
            _look(self._identity.check), _look(self._workers.all)
        )
        if workers is not None:
            worker = describe_workers(workers) or OK
        return Report(database, store, worker, database_id)

    async def _read_identity(self) -> str:
        async with self._database.connection() as connection:
            rows = await connection.fetch(sql("database/list_migrations"))
            # One that is newer was made to serve the version before as well.
            if find_missing([row["name"] for row in rows]):
                raise Misconfigured(_OTHER_SCHEMA)
            word: bytes = await connection.fetchval(sql("database/get_key"), "database")
        return fingerprint(word)


def fingerprint(word: bytes) -> str:
    """What may be shown of an identity."""
    return hashlib.sha256(word).hexdigest()[:_SHOWN_DIGITS]


def describe_workers(workers: Sequence[Any]) -> str | None:
    """What is wrong if no worker does its work; None if one does."""
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


async def _look(look: Callable[[], Awaitable[Any]]) -> tuple[Any, str]:
    """What it answers and `ok`, or None and what is wrong."""
    try:
        async with asyncio.timeout(_SECONDS):
            return await look(), OK
    except OtherStore:
        return None, "another one than this database's"
    except Unavailable:
        return None, "away"
    except TimeoutError:
        return None, "does not answer"
    except (Misconfigured, asyncpg.PostgresError):
        return None, _OTHER_SCHEMA
