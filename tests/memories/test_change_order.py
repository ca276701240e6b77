"""Whoever follows memories from snapshot to snapshot has them as they are, at every moment."""

import random
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import asyncpg

from memferry.database.pool import Connection, Database
from support.people import Person
from support.postgres import open_database
from support.tokens import read_tenant_id

# Without the count of usage, whose rows transactions share.
_SAVE = """
INSERT INTO memories (id, content, namespace, tags, source, created_at, updated_at)
VALUES ($1, $2, 'default', '{}', 'agent', 1, 1)
"""
_CHANGE = "UPDATE memories SET content = $2 WHERE id = $1"
_DELETE = "DELETE FROM memories WHERE id = $1"
_ROWS = "SELECT id, content FROM memferry.memories WHERE tenant_id = $1"
_CHANGED = """
SELECT id, content, version FROM memferry.memories
WHERE tenant_id = $1
    AND ($2::text IS NULL OR NOT pg_visible_in_snapshot(changed_in, $2::text::pg_snapshot))
"""
_DELETED = """
SELECT memory_id, version FROM memferry.changes
WHERE tenant_id = $1 AND kind = 'delete'
    AND NOT pg_visible_in_snapshot(changed_in, $2::text::pg_snapshot)
"""


@dataclass
class Follower:
    """A copy of a tenant's memories that is kept up to date by what changed since the last look."""

    owner: "asyncpg.Connection[asyncpg.Record]"
    tenant: UUID
    snapshot: str | None = None
    copy: dict[UUID, str] = field(default_factory=dict)
    seen: Counter[tuple[UUID, int]] = field(default_factory=Counter)

    async def follow(self) -> None:
        """Take over what no earlier look has shown."""
        async with self.owner.transaction(isolation="repeatable_read"):
            snapshot = await self.owner.fetchval("SELECT pg_current_snapshot()::text")
            changed = await self.owner.fetch(_CHANGED, self.tenant, self.snapshot)
            deleted = await self.owner.fetch(_DELETED, self.tenant, self.snapshot)
        self.copy.update((row["id"], row["content"]) for row in changed)
        for row in deleted:
            self.copy.pop(row["memory_id"], None)
        self.seen.update((row[0], row["version"]) for row in (*changed, *deleted))
        self.snapshot = snapshot


async def save(connection: Connection, content: str) -> UUID:
    memory_id = uuid4()
    await connection.execute(_SAVE, memory_id, content)
    return memory_id


@dataclass
class Writer:
    """A transaction that stays open for as long as chance has it."""

    connection: Connection
    transaction: AsyncExitStack
    own: list[UUID]
    """Memories that only this one touches: two would wait for each other."""

    async def write(self, chance: random.Random) -> None:
        """Save, change or delete something."""
        if not self.own or chance.random() < 0.4:
            self.own.append(await save(self.connection, f"new {chance.random()}"))
        elif chance.random() < 0.7:
            await self.connection.execute(
                _CHANGE, chance.choice(self.own), f"changed {chance.random()}"
            )
        else:
            gone = self.own.pop(chance.randrange(len(self.own)))
            await self.connection.execute(_DELETE, gone)


async def begin(database: Database, tenant: UUID, own: list[UUID]) -> Writer:
    transaction = AsyncExitStack()
    connection = await transaction.enter_async_context(database.tenant(tenant))
    return Writer(connection, transaction, own)


async def test_a_transaction_that_commits_late_is_followed_once(
    alice: Person, database_url: str
) -> None:
    tenant = await read_tenant_id(alice, database_url)
    owner = await asyncpg.connect(database_url)
    follower = Follower(owner, tenant)
    async with open_database(database_url) as database:
        late = await begin(database, tenant, [])
        early_id = await save(late.connection, "saved early, seen late")
        alice.save("saved late, seen early")
        await follower.follow()
        assert early_id not in follower.copy
        await late.transaction.aclose()
        await follower.follow()
        await follower.follow()
    await owner.close()

    assert follower.copy[early_id] == "saved early, seen late"
    assert set(follower.seen.values()) == {1}
    assert len(follower.copy) == 2


async def test_a_follower_misses_nothing_and_repeats_nothing(
    alice: Person, database_url: str, seed: int
) -> None:
    chance, tenant = random.Random(seed), await read_tenant_id(alice, database_url)
    owner = await asyncpg.connect(database_url)
    follower = Follower(owner, tenant)
    async with open_database(database_url) as database:
        writers = [await begin(database, tenant, []) for _ in range(3)]
        for _ in range(60):
            place = chance.randrange(len(writers))
            await writers[place].write(chance)
            if chance.random() < 0.5:
                # The others go on meanwhile, with transactions that are older.
                await writers[place].transaction.aclose()
                writers[place] = await begin(database, tenant, writers[place].own)
            await follower.follow()
        for writer in writers:
            await writer.transaction.aclose()
    await follower.follow()
    rows = await owner.fetch(_ROWS, tenant)
    await owner.close()

    assert follower.copy == {row["id"]: row["content"] for row in rows}
    assert set(follower.seen.values()) == {1}
