"""Many rows are locked in one order by all: no deadlock, however much happens at once."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from conftest import opened_database, own_database
from memferry.database.pool import Database
from memferry.erasure.memories import MemoryErasure
from memferry.exports.service import Exports
from memferry.memories.service import Memories
from memferry.model.identity import new_export_id
from memferry.model.memory import Checked
from memferry.model.token import Caller, Grant
from memferry.storage.local import LocalStorage
from memferry.tenants.admin import Admin
from memferry.tenants.tokens import Tokens

ROUNDS, TOKENS, EXPORTS = 4, 6, 240
# The last one made is the oldest: an index by time and the table itself hold them in opposite order.
QUEUE = """
INSERT INTO memferry.exports (tenant_id, id, status, format, filters, row_count, token_id, created_at)
SELECT $1, id, 'pending', 'json', '{}', 1, ($3::uuid[])[1 + number % $4], -number
FROM unnest($2::text[]) WITH ORDINALITY AS export (id, number)
"""


@dataclass
class World:
    """One tenant with tokens, unfinished exports, and everything that locks them."""

    caller: Caller
    tokens: list[UUID]
    exports: list[str]


@pytest.fixture(scope="module")
def url(database_url: str) -> Iterator[str]:
    with own_database(database_url) as own_url:
        yield own_url


@pytest.fixture
async def owner(url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    async with opened_database(url, size=16) as database:
        yield database


@pytest.fixture
async def storage(tmp_path: Path) -> LocalStorage:
    storage = LocalStorage(tmp_path)
    await storage.prepare()
    return storage


async def make_world(url: str, owner: "asyncpg.Connection[asyncpg.Record]", name: str) -> World:
    admin = Admin(url)
    for number in range(TOKENS):
        await admin.create_token(name, str(number), Grant())
    rows = await owner.fetch(
        "SELECT tenant_id, tokens.id FROM memferry.tokens JOIN memferry.tenants"
        " ON tenants.id = tenant_id WHERE tenants.name = $1",
        name,
    )
    tokens, exports = [row["id"] for row in rows], [new_export_id() for _ in range(EXPORTS)]
    await owner.execute(QUEUE, rows[0]["tenant_id"], exports, tokens, TOKENS)
    return World(Caller(tenant_id=rows[0]["tenant_id"]), tokens, exports)


async def save(memories: Memories, caller: Caller) -> UUID:
    """A new memory's id."""
    new = Checked(
        content="x", namespace="default", tags=[], source="agent", source_ref=None, metadata=None
    )
    return UUID(json.loads(await memories.save(caller, new))["id"])


async def deadlocks(owner: "asyncpg.Connection[asyncpg.Record]") -> int:
    """How many there were; the server counts them for good when a session ends or is idle."""
    await owner.execute("SELECT pg_stat_clear_snapshot()")
    number: int = await owner.fetchval(
        "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    )
    return number


async def test_purges_revocations_and_deletions_of_exports_meet_no_deadlock(
    url: str, owner: "asyncpg.Connection[asyncpg.Record]", database: Database, storage: LocalStorage
) -> None:
    memories, tokens = Memories(database), Tokens(database)
    erasure = MemoryErasure(database, storage, always_purge=True)
    exports = Exports(database, storage, lifetime_seconds=60)
    for number in range(ROUNDS):
        world = await make_world(url, owner, f"alice {number}")
        saved = [await save(memories, world.caller) for _ in range(2 * TOKENS)]
        await asyncio.gather(
            *(erasure.delete(world.caller, memory_id, purge=True) for memory_id in saved),
            *(tokens.revoke(world.caller, token_id) for token_id in world.tokens),
            *(exports.delete(world.caller, export_id) for export_id in world.exports[::40]),
        )

    assert await deadlocks(owner) == 0
