"""The starts of exports, as the database counts them."""

import asyncio
import hashlib
from uuid import UUID

import pytest

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
    one_an_hour = (tenant, None, 1, 10, 10**9)
    waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)"
    async with (
        open_database(database_url, size=2) as database,
        database.connection() as one,
        database.connection() as other,
    ):
        async with one.transaction():
            first = await one.fetchrow(sql("exports/start_export"), *one_an_hour)
            second = asyncio.create_task(other.fetchrow(sql("exports/start_export"), *one_an_hour))
            while not await fetchval(database_url, waits):
                assert not second.done()
        counted = await second

    assert first is not None
    assert counted is not None
    assert (first["reached"], counted["reached"]) == (None, "per_hour")


async def test_a_start_looks_at_few_of_those_before_and_keeps_no_more_than_count(
    tenant: UUID, database_url: str
) -> None:
    per_hour = 900
    before = (
        "INSERT INTO memferry.export_starts (tenant_id, number, started_at) "
        "SELECT $1, number, number FROM generate_series(1, $2::integer) AS number"
    )
    await fetchval(database_url, before, tenant, per_hour)
    looked_at = (
        "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables "
        "WHERE relname = 'export_starts'"
    )
    async with (
        open_database(database_url) as database,
        database.connection() as session,
        session.transaction(),
    ):
        await session.execute("SET LOCAL enable_seqscan = off")
        start = await session.fetchrow(
            sql("exports/start_export"), tenant, None, per_hour, 10, 10**9
        )
        read = await session.fetchval(looked_at)
    kept = await fetchval(
        database_url, "SELECT count(*) FROM memferry.export_starts WHERE tenant_id = $1", tenant
    )

    assert start is not None
    assert (start["reached"], kept) == (None, per_hour)
    assert read <= 5
