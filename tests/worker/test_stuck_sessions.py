"""A worker that is halted while it reads does not keep vacuum from the database."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from datetime import timedelta

import asyncpg
import pytest

from memferry.database.pool import Database
from memferry.worker.stuck_sessions import StuckSessions
from support.postgres import create_database, open_database

_PROGRAM = "memferry worker"
_ENDLESS = "SELECT repeat('x', 1000) FROM generate_series(1, 1000000)"
_SESSION = "SELECT state, wait_event FROM pg_stat_activity WHERE pid = $1"

Connection = asyncpg.Connection  # its parameter exists only in the stubs


@pytest.fixture(scope="module")
def url(database_url: str) -> Iterator[str]:
    """A database with no other workers."""
    with create_database(database_url) as own_url:
        yield own_url


@pytest.fixture
async def owner(url: str) -> AsyncIterator["Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    async with open_database(url, program=_PROGRAM) as database:
        yield database


async def reading(url: str, program: str = _PROGRAM) -> "Connection[asyncpg.Record]":
    """A session that holds a snapshot, of a program with that name."""
    connection = await asyncpg.connect(url, server_settings={"application_name": program})
    await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT")
    return connection


async def until_it_shows(
    owner: "Connection[asyncpg.Record]", pid: int, state: tuple[str, str] | None
) -> None:
    """Return once PostgreSQL shows the session in that state and wait; None: no more."""
    async with asyncio.timeout(10):
        while True:
            row = await owner.fetchrow(_SESSION, pid)
            if (None if row is None else tuple(row)) == state:
                return
            await asyncio.sleep(0.01)


async def test_sessions_of_a_halted_worker_are_terminated_in_every_state(
    url: str, database: Database, owner: "Connection[asyncpg.Record]"
) -> None:
    sharing, preparing, sending = [await reading(url) for _ in range(3)]
    await preparing.prepare("SELECT 1")

    async def take_nothing(_data: bytes) -> None:
        await asyncio.Event().wait()

    copy = asyncio.create_task(sending.copy_from_query(_ENDLESS, output=take_nothing))
    states = (
        ("idle in transaction", "ClientRead"),
        ("active", "ClientRead"),
        ("active", "ClientWrite"),
    )
    pids = [each.get_server_pid() for each in (sharing, preparing, sending)]
    for pid, state in zip(pids, states, strict=True):
        await until_it_shows(owner, pid, state)
    await StuckSessions(database, import_seconds=3600, seconds=0, silent_seconds=30).tick()

    for pid in pids:
        await until_it_shows(owner, pid, None)
    copy.cancel()
    with suppress(asyncio.CancelledError, asyncpg.PostgresError, OSError):
        await copy
    for each in (sharing, preparing, sending):
        each.terminate()


async def test_sessions_of_working_workers_and_of_others_go_on(
    url: str, database: Database
) -> None:
    requests, strangers = await reading(url, "memferry"), await reading(url, "psql")
    await StuckSessions(database, import_seconds=3600, seconds=0, silent_seconds=30).tick()
    worker = await reading(url)
    await StuckSessions(database, import_seconds=3600, seconds=60, silent_seconds=30).tick()

    for each in (requests, strangers, worker):
        assert await each.fetchval("SELECT 1") == 1
        await each.close()


async def test_a_silent_worker_loses_its_snapshot_and_no_other_does(
    url: str, database: Database, owner: "Connection[asyncpg.Record]"
) -> None:
    sign_in = (
        "INSERT INTO memferry.workers (id, host, pid, version, status, seen_at) "
        "VALUES ($1, 'host', 1, '0', 'working', now() - $2::interval)"
    )
    await owner.execute(sign_in, "host/1/0000aaaa", timedelta(minutes=1))
    await owner.execute(sign_in, "host/2/0000bbbb", timedelta(seconds=1))
    silent, alive, unknown = [
        await reading(url, f"memferry worker {word}")
        for word in ("0000aaaa", "0000bbbb", "0000cccc")
    ]
    await StuckSessions(database, import_seconds=3600, seconds=3600, silent_seconds=30).tick()

    await until_it_shows(owner, silent.get_server_pid(), None)
    silent.terminate()
    for worker in (alive, unknown):
        assert await worker.fetchval("SELECT 1") == 1
        await worker.close()
