"""The starts of exports, as the database counts them."""

import asyncio
import hashlib
from uuid import UUID

import asyncpg
import pytest

from memferry.database.pool import Database
from memferry.database.sql import sql
from support.people import Person
from support.postgres import open_database
from support.tokens import fetchval


@pytest.fixture
async def tenant(alice: Person, database_url: str) -> UUID:
    query = "SELECT tenant_id FROM memferry.tokens WHERE sha256 = $1"
    digest = hashlib.sha256(alice.token.encode()).digest()
    found: UUID = await fetchval(database_url, query, digest)
    return found


async def test_starts_of_a_tenant_are_counted_one_after_the_other(
    tenant: UUID, database_url: str
) -> None:
    one_an_hour = (None, 1, 10, 10**9)
    waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'transactionid' AND NOT granted)"
    async with open_database(database_url, size=2) as database:
        async with database.tenant(tenant) as one:
            first = await one.fetchrow(sql("exports/start_export"), *one_an_hour)
            second = asyncio.create_task(start(database, tenant, *one_an_hour))
            while not await fetchval(database_url, waits):
                assert not second.done()
        counted = await second

    assert first is not None
    assert (first["reached"], counted["reached"]) == (None, "per_hour")
    assert 3590 < counted["seconds"] <= 3600


async def test_a_start_keeps_one_row_however_many_come(tenant: UUID, database_url: str) -> None:
    async with open_database(database_url) as database:
        answers = [await start(database, tenant, None, 90, 10, 10**9) for _ in range(91)]
    kept = await fetchval(
        database_url, "SELECT count(*) FROM memferry.export_buckets WHERE tenant_id = $1", tenant
    )

    assert [answer["reached"] for answer in answers[-2:]] == [None, "per_hour"]
    assert kept == 1


async def test_a_bucket_that_was_full_for_long_holds_no_more_than_its_size(
    tenant: UUID, database_url: str
) -> None:
    async with open_database(database_url) as database:
        await start(database, tenant, None, 2, 10, 10**9)
        day_ago = "UPDATE memferry.export_buckets SET full_at = full_at - interval '1 day'"
        await fetchval(database_url, day_ago)
        answers = [await start(database, tenant, None, 2, 10, 10**9) for _ in range(3)]

    assert [answer["reached"] for answer in answers] == [None, None, "per_hour"]


async def start(database: Database, tenant: UUID, *limits: object) -> asyncpg.Record:
    """Start an export; what the limits say."""
    async with database.tenant(tenant) as connection:
        row = await connection.fetchrow(sql("exports/start_export"), *limits)
    assert row is not None
    return row
