"""What a transaction loses to another one is repeated, and never told as a fault of the service."""

import asyncio
from uuid import UUID

import asyncpg
import pytest

from memferry.database.pool import Database
from memferry.database.retry import retry_conflicts
from memferry.errors import (
    DatabaseUnavailable,
    MemferryError,
    StatementTimedOut,
    TransactionConflict,
    UnknownToken,
)
from memferry.model.token import Caller
from memferry.webhooks.service import Webhooks
from memferry.wire.webhooks import NewWebhook
from support.people import Person
from support.postgres import open_database

TENANT = UUID(int=1)
# https://www.postgresql.org/docs/current/errcodes-appendix.html
MEANINGS: dict[type[MemferryError], tuple[str, ...]] = {
    TransactionConflict: ("40001", "40P01", "55P03"),
    StatementTimedOut: ("57014",),
    DatabaseUnavailable: (
        *("08006", "25006", "25P03", "25P04", "28000", "28P01", "3D000", "53100", "53200"),
        *("53300", "57P01", "57P02", "57P03", "57P05", "58030"),
    ),
}
# A transaction sees sessions as they were when it first looked, unless it forgets that.
BLOCKED = """
SELECT pg_stat_clear_snapshot(), (
    SELECT true FROM pg_stat_activity
    WHERE wait_event_type = 'Lock' AND query LIKE '%DELETE FROM webhooks%'
        AND pid <> pg_backend_pid()
)
"""


async def fail(database: Database, state: str) -> None:
    """Let the server end a transaction with that SQLSTATE."""
    async with database.tenant(TENANT) as connection:
        await connection.execute(f"DO $$ BEGIN RAISE SQLSTATE '{state}'; END $$")


@pytest.mark.parametrize(
    ("error", "state"), [(error, state) for error, states in MEANINGS.items() for state in states]
)
async def test_each_fault_of_the_server_has_one_meaning(
    database_url: str, error: type[MemferryError], state: str
) -> None:
    async with open_database(database_url, size=1) as database:
        with pytest.raises(MemferryError) as raised:
            await fail(database, state)

    assert type(raised.value) is error
    assert raised.value.retryable


async def test_a_transaction_that_conflicts_each_time_is_given_up_after_five_attempts(
    database_url: str,
) -> None:
    tries = 0

    @retry_conflicts
    async def lose(database: Database) -> None:
        nonlocal tries
        tries += 1
        await fail(database, "40P01")

    async with open_database(database_url, size=1) as database:
        with pytest.raises(TransactionConflict):
            await lose(database)

    assert tries == 5


async def test_a_request_that_is_the_victim_of_a_deadlock_is_repeated(
    alice: Person, database_url: str
) -> None:
    # On a busy machine we may come too late, and are the victim ourselves.
    statuses = [await _delete_in_a_deadlock(alice, database_url) for _ in range(3)]

    assert 204 in statuses
    assert set(statuses) <= {204, None}


async def _delete_in_a_deadlock(alice: Person, database_url: str) -> int | None:
    """The status of a request whose transaction PostgreSQL ends; None if it ends ours."""
    hook = alice.post("/api/webhooks", json={"url": "https://192.0.2.1/never"}).json()
    alice.save("told")
    owner = await asyncpg.connect(database_url)
    deleting = None
    try:
        async with asyncio.timeout(30), owner.transaction():
            # The wrong order: a delivery first, then its webhook.
            await owner.execute(
                "SELECT FROM memferry.deliveries WHERE webhook_id = $1 FOR UPDATE", UUID(hook["id"])
            )
            path = f"/api/webhooks/{hook['id']}"
            deleting = asyncio.create_task(asyncio.to_thread(alice.delete, path))
            while not await owner.fetchval(BLOCKED, column=1):
                await asyncio.sleep(0.01)
            # Who has waited longer looks for deadlocks first, and is the victim.
            await owner.execute(
                "SELECT FROM memferry.webhooks WHERE id = $1 FOR UPDATE", UUID(hook["id"])
            )
        return (await deleting).status_code
    except asyncpg.DeadlockDetectedError:
        return None
    finally:
        if deleting is not None:
            await deleting
        await owner.close()


async def test_a_request_of_a_deleted_tenant_fails_as_an_unknown_token(database_url: str) -> None:
    async with open_database(database_url, size=1) as database:
        hooks = Webhooks(database)
        with pytest.raises(UnknownToken):
            await hooks.create(Caller(tenant_id=TENANT), NewWebhook(url="https://example.com"))
