"""What the service's own role can see: one tenant at a time, through views, with their indexes."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from memferry.database.migrate import migrate
from memferry.database.pool import SERVICE_ROLE
from support.people import Person
from support.postgres import open_database

TABLES = (
    "memories",
    "jobs",
    "export_payloads",
    "idempotency_keys",
    "export_buckets",
    "webhooks",
    "deliveries",
    "messages",
    "memory_usage",
    "tenant",
)


@pytest.fixture
async def session(database_url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A session as the service has it."""
    settings = {"role": SERVICE_ROLE, "search_path": SERVICE_ROLE}
    connection = await asyncpg.connect(database_url, server_settings=settings)
    yield connection
    await connection.close()


@pytest.mark.parametrize("table", [*TABLES[:-1], "tenants", "gone_tenants", "tokens", "keys"])
async def test_no_table_can_be_read(
    session: "asyncpg.Connection[asyncpg.Record]", table: str
) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await session.fetch(f"SELECT * FROM memferry.{table}")


async def test_a_connection_of_the_service_reads_no_table(database_url: str) -> None:
    # As the owner it connects where the server is an external one.
    async with open_database(database_url, size=1) as database:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with database.connection() as connection:
                await connection.fetch("SELECT * FROM memferry.tokens")


@pytest.mark.parametrize("view", TABLES)
async def test_without_a_tenant_a_view_answers_nothing_but_an_error(
    session: "asyncpg.Connection[asyncpg.Record]", view: str
) -> None:
    with pytest.raises((asyncpg.UndefinedObjectError, asyncpg.InvalidTextRepresentationError)):
        await session.fetch(f"SELECT * FROM {view}")


async def test_a_forgotten_where_shows_only_the_own_tenant(
    session: "asyncpg.Connection[asyncpg.Record]", alice: Person, bob: Person, database_url: str
) -> None:
    row, other = alice.save("of Alice"), bob.save("of Bob")
    owner = await asyncpg.connect(database_url)
    tenant = await owner.fetchval(
        "SELECT tenant_id FROM memferry.memories WHERE id = $1", row["id"]
    )
    await owner.close()

    async with session.transaction():
        await session.execute(f"SET LOCAL memferry.tenant = '{tenant}'")
        seen = await session.fetch("SELECT content FROM memories")
        changed = await session.execute("UPDATE memories SET content = 'mine'")
        deleted = await session.execute("DELETE FROM memories")

    assert [each["content"] for each in seen] == ["of Alice"]
    assert (changed, deleted) == ("UPDATE 1", "DELETE 1")
    assert bob.get(f"/api/memories/{other['id']}").json() == other


PLANS = {
    "tags @> '{rare}'": "memories_by_tags",
    "metadata::jsonb @> '{\"rare\": true}'": "memories_by_metadata",
    "keys @@ key_query('rare', false)": "memories_by_words",
    "source_ref = 'rare'": "memories_by_source_ref",
    "namespace = 'rare' ORDER BY created_at, id": "memories_by_namespace",
    "created_at >= 1 ORDER BY created_at, id LIMIT 10": "memories_by_time",
}


async def test_each_filter_of_a_large_tenant_finds_its_index(
    session: "asyncpg.Connection[asyncpg.Record]", alice: Person, database_url: str
) -> None:
    alice.save_many([{"content": f"memory {i}", "tags": ["often"]} for i in range(20_000)])
    row = alice.save("rare", tags=["rare"], metadata={"rare": True}, source_ref="rare")
    owner = await asyncpg.connect(database_url)
    await owner.execute("VACUUM ANALYZE memferry.memories")
    query = "SELECT tenant_id FROM memferry.memories WHERE id = $1"
    tenant = await owner.fetchval(query, row["id"])
    await owner.close()

    async with session.transaction():
        await session.execute(f"SET LOCAL memferry.tenant = '{tenant}'")
        plans = {
            condition: await session.fetch(
                f"EXPLAIN SELECT FROM searched_memories WHERE {condition}"
            )
            for condition in PLANS
        }

    for condition, plan in plans.items():
        text = "\n".join(line[0] for line in plan)
        assert PLANS[condition] in text, f"{condition}:\n{text}"


async def test_migrating_from_several_processes_at_once_is_safe(database_url: str) -> None:
    assert await asyncio.gather(*(migrate(database_url) for _ in range(4))) == [[], [], [], []]
