"""The network to the database is cut without a word: nobody waits longer than for an answer."""

import asyncio
import time
from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from memferry.database import pool
from memferry.database.pool import Database
from memferry.errors import DatabaseUnavailable
from memferry.settings import DatabaseSettings
from support.database_relay import DatabaseRelay, run_database_relay
from support.postgres import open_database

TENANT = UUID(int=1)
# The limit of a statement, and what is waited for its answer beyond that; then a moment.
SOON_SECONDS = 1 + pool._ANSWER_SECONDS + 2  # noqa: SLF001 - the promise is told in seconds


@pytest.fixture
async def relay(database_url: str) -> AsyncIterator[DatabaseRelay]:
    async with run_database_relay(database_url) as relay:
        yield relay


@pytest.fixture
async def database(relay: DatabaseRelay) -> AsyncIterator[Database]:
    async with open_database(relay.url, size=2, statement_seconds=1) as database:
        yield database


async def ask(database: Database) -> int:
    async with database.tenant(TENANT) as connection:
        number: int = await connection.fetchval("SELECT 42")
        return number


@pytest.fixture(autouse=True)
def short_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds instead of more: the time is the same for a request and for a test."""
    monkeypatch.setattr(pool, "_ANSWER_SECONDS", 1)


async def test_a_request_on_a_cut_connection_fails_soon_and_the_next_one_succeeds(
    relay: DatabaseRelay, database: Database
) -> None:
    assert await ask(database) == 42
    relay.cut()
    began = time.monotonic()
    with pytest.raises(DatabaseUnavailable):
        await ask(database)

    assert time.monotonic() - began < SOON_SECONDS
    relay.mend()
    assert await ask(database) == 42


@pytest.mark.parametrize("moment", ["a statement", "the commit"])
async def test_a_transaction_on_a_cut_connection_is_given_up(
    relay: DatabaseRelay, database: Database, moment: str
) -> None:
    began = time.monotonic()
    with pytest.raises(DatabaseUnavailable):
        await ask_cut(relay, database, moment)

    assert time.monotonic() - began < SOON_SECONDS


async def ask_cut(relay: DatabaseRelay, database: Database, moment: str) -> None:
    async with database.tenant(TENANT) as connection:
        relay.cut()
        if moment == "a statement":
            await connection.fetchval("SELECT 42")


async def test_closing_the_pool_does_not_wait_for_a_cut_connection(relay: DatabaseRelay) -> None:
    database = Database(relay.url, DatabaseSettings(pool_size=1, statement_seconds=1))
    await database.open()
    await ask(database)
    relay.cut()
    async with asyncio.timeout(pool._CLOSE_SECONDS + 2):  # noqa: SLF001 - as above
        await database.close()


async def test_network_sessions_end_when_their_client_is_unreachable(
    database: Database,
) -> None:
    async with database.tenant(TENANT) as connection:
        session = await connection.fetchval("SHOW tcp_user_timeout")
    async with database.tenant(TENANT, long_running=True) as connection:
        patient = await connection.fetchval("SHOW tcp_user_timeout")

    # Over the relay PostgreSQL sees a Unix socket, where it shows what it does: nothing.
    assert session in ("15s", "0")
    assert patient in ("15min", "0")
