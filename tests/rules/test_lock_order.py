"""Many rows are locked in one order by all: no deadlock, however much happens at once."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias
from uuid import UUID, uuid4

import asyncpg
import pytest
from msgspec import UNSET

from memferry.database.pool import Database
from memferry.erasure.memories import MemoryErasure
from memferry.errors import Denied, Invalid, MemferryError, NotFound
from memferry.exports.request import ExportRequest
from memferry.exports.service import Exports
from memferry.memories.changes import MemoryBatches
from memferry.memories.service import Memories
from memferry.model.identity import new_export_id
from memferry.model.memory import ValidChange, ValidMemory
from memferry.model.token import Caller, Grant
from memferry.projects.service import Projects
from memferry.projects.validation import ValidProjectChange
from memferry.settings import ExportSettings, WebhookSettings
from memferry.storage.local import LocalStorage
from memferry.tenants.deletion import TenantDeletion
from memferry.tenants.operator import Operator
from memferry.tenants.tokens import Tokens
from memferry.webhooks.delivery import Deliverer
from memferry.webhooks.outgoing import Sender
from memferry.webhooks.service import Webhooks
from memferry.wire.webhooks import NewWebhook
from support.deadlocks import count_deadlocks
from support.memories import save_one_batch
from support.postgres import create_database, open_database

pytestmark = pytest.mark.long

ROUNDS, TOKENS, EXPORTS = 6, 8, 480
QUEUE = """
INSERT INTO memferry.jobs (tenant_id, id, type, status, request, row_count, token_id,
    created_at)
SELECT $1, id, 'export', 'pending', '{"format":"json","filters":{}}', 1,
    ($3::uuid[])[1 + number % $4], -number
FROM unnest($2::text[]) WITH ORDINALITY AS export (id, number)
"""
LOCK = "SELECT FROM memferry.jobs WHERE"
TOKEN_OF = "SELECT token_id FROM memferry.jobs WHERE id = $1"
NEW = ValidMemory(
    content="x", namespace="default", tags=[], source="agent", source_ref=None, metadata=None
)
TAGGED = ValidChange(content=None, tags=["x"], namespace=None, metadata='{"a":1}')
Actions: TypeAlias = dict[str, Callable[[], Coroutine[Any, Any, object]]]
Owner: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


@dataclass
class World:
    """One tenant with tokens, unfinished exports, and everything that locks them."""

    caller: Caller
    tokens: list[UUID]
    exports: list[str]
    memories: list[UUID] = field(default_factory=list)

    def next_memory(self) -> UUID:
        """One that was not handed out; in the end one that never was."""
        return self.memories.pop() if self.memories else uuid4()


@pytest.fixture(scope="module")
def url(database_url: str) -> Iterator[str]:
    with create_database(database_url) as own_url:
        yield own_url


@pytest.fixture
async def storage(tmp_path: Path) -> LocalStorage:
    storage = LocalStorage(tmp_path)
    await storage.prepare()
    return storage


async def make_world(url: str, name: str) -> World:
    owner = await asyncpg.connect(url)
    operator = Operator(url)
    for number in range(TOKENS):
        await operator.create_token(name, str(number), Grant())
    rows = await owner.fetch(
        "SELECT tenant_id, tokens.id FROM memferry.tokens JOIN memferry.tenants"
        " ON tenants.id = tenant_id WHERE tenants.name = $1",
        name,
    )
    tokens, exports = [row["id"] for row in rows], [new_export_id() for _ in range(EXPORTS)]
    # Neither the table nor an index by time has the order of the ids.
    random.Random(name).shuffle(exports)
    await owner.execute(QUEUE, rows[0]["tenant_id"], exports, tokens, TOKENS)
    await owner.close()
    return World(Caller(tenant_id=rows[0]["tenant_id"]), tokens, exports)


async def save(memories: Memories, caller: Caller) -> UUID:
    """A new memory's id."""
    return UUID(json.loads(await memories.save(caller, NEW))["id"])


async def test_every_table_has_its_place_in_the_documented_order(url: str) -> None:
    page = (Path(__file__).parents[2] / "docs/architecture.md").read_text()
    order = page.partition("\n## Locks\n")[2].partition("\n## ")[0]
    connection = await asyncpg.connect(url)
    rows = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'memferry'")
    await connection.close()

    assert [row["tablename"] for row in rows if f"`{row['tablename']}`" not in order] == []


async def blocked(url: str) -> None:
    """Return once a session waits for a lock."""
    watcher = await asyncpg.connect(url)
    waiting = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    async with asyncio.timeout(10):
        while not await watcher.fetchval(waiting):
            await asyncio.sleep(0.01)
    await watcher.close()


@asynccontextmanager
async def held(url: str, query: str, *arguments: object) -> AsyncIterator[Owner]:
    """What the query locks, in the transaction of the connection, until the end of the block."""
    owner = await asyncpg.connect(url)
    async with owner.transaction():
        await owner.execute(query, *arguments)
        yield owner
    await owner.close()


@pytest.mark.parametrize("action", ["purge", "revoke", "revoke as operator", "delete tenant"])
async def test_several_exports_are_locked_by_their_ids(
    url: str, storage: LocalStorage, action: str
) -> None:
    world = await make_world(url, action)
    first = min(world.exports)
    others = [export for export in world.exports if export != first]
    async with open_database(url, size=2) as database:
        memory_id = await save(Memories(database), world.caller)
        async with held(url, f"{LOCK} id = $1 FOR UPDATE", first) as owner:
            token_id = await owner.fetchval(TOKEN_OF, first)
            work: Actions = {
                "purge": lambda: MemoryErasure(
                    database, storage, ExportSettings(always_purge=True)
                ).delete(world.caller, memory_id, purge=True),
                "revoke": lambda: Tokens(database).revoke(world.caller, token_id),
                "revoke as operator": lambda: Operator(url).revoke_token(str(token_id)),
                "delete tenant": lambda: TenantDeletion(url, storage).delete(action),
            }
            waiting = asyncio.create_task(work[action]())
            await blocked(url)
            # It has locked no later one before the first.
            await owner.execute(f"{LOCK} id = ANY ($1) FOR UPDATE NOWAIT", others)
        await waiting


@pytest.mark.parametrize("action", ["delete", "delete and purge", "change", "rename"])
async def test_several_memories_are_locked_by_their_ids(
    url: str, storage: LocalStorage, action: str
) -> None:
    world = await make_world(url, f"memories {action}")
    async with open_database(url, size=2) as database:
        ids = [await save(Memories(database), world.caller) for _ in range(50)]
        backwards, project_id = sorted(ids, reverse=True), await find_project(database, world)
        erasure = MemoryErasure(database, storage)
        work: Actions = {
            "delete": lambda: erasure.delete_many(world.caller, backwards, purge=False),
            "delete and purge": lambda: erasure.delete_many(world.caller, backwards, purge=True),
            "change": lambda: MemoryBatches(database).change(
                world.caller, [(memory_id, TAGGED) for memory_id in backwards]
            ),
            "rename": lambda: Projects(database).change(
                world.caller, project_id, name_project("new")
            ),
        }
        lock = "SELECT FROM memferry.memories WHERE"
        async with held(url, f"{lock} id = $1 FOR UPDATE", min(ids)) as owner:
            waiting = asyncio.create_task(work[action]())
            await blocked(url)
            # It has locked no later one before the first.
            await owner.execute(f"{lock} id = ANY ($1) FOR UPDATE NOWAIT", backwards[:-1])
        await waiting


async def test_batches_and_new_names_of_projects_meet_no_deadlock(
    url: str, storage: LocalStorage
) -> None:
    world = await make_world(url, "batches")
    async with open_database(url, size=32) as database:
        memories, batches = Memories(database), MemoryBatches(database)
        erasure, projects = MemoryErasure(database, storage), Projects(database)
        for number in range(ROUNDS):
            ids = [await save(memories, world.caller) for _ in range(40)]
            chosen = [random.Random(seed).sample(ids, 30) for seed in range(TOKENS)]
            project_id = await find_project(database, world)
            await asyncio.gather(
                projects.change(world.caller, project_id, name_project(f"name {number}")),
                *(batches.change(world.caller, [(id_, TAGGED) for id_ in some]) for some in chosen),
                *(erasure.delete_many(world.caller, some[:5], purge=True) for some in chosen),
                *(erasure.delete_many(world.caller, some[5:9], purge=False) for some in chosen),
                *(save(memories, world.caller) for _ in range(20)),
            )

    assert await count_deadlocks(url) == 0


async def find_project(database: Database, world: World) -> UUID:
    """The project that was active last."""
    row, *_ = await Projects(database).list_active(world.caller, limit=1)
    return UUID(json.loads(row["row"])["id"])


def name_project(name: str) -> ValidProjectChange:
    """A change of the name alone."""
    return ValidProjectChange(
        name=name, description=UNSET, metadata=None, archived=None, retention_days=None
    )


async def test_a_delivery_is_settled_after_its_webhook_is_locked(url: str) -> None:
    world = await make_world(url, "settling")
    async with open_database(url, size=4) as database:
        hook = await make_hook(database, world.caller)
        await save(Memories(database), world.caller)
        sender = Sender(WebhookSettings(allow_private=True))
        lock = "SELECT FROM memferry.webhooks WHERE id = $1 FOR UPDATE"
        async with held(url, lock, hook) as owner:
            settling = asyncio.create_task(Deliverer(database, sender).tick())
            await blocked(url)
            await owner.execute("SELECT FROM memferry.deliveries FOR UPDATE NOWAIT")
        assert await settling
        await sender.close()


@pytest.mark.parametrize("action", ["save", "save many", "export"])
async def test_a_message_waits_for_the_deletion_of_its_webhook(
    url: str, storage: LocalStorage, action: str
) -> None:
    world = await make_world(url, f"telling {action}")
    async with open_database(url, size=2) as database:
        memories = Memories(database)
        exports = Exports(database, storage, ExportSettings(lifetime_seconds=60))
        hook = await make_hook(database, world.caller)
        work: Actions = {
            "save": lambda: memories.save(world.caller, NEW),
            "save many": lambda: memories.save_many(world.caller, save_one_batch(NEW), most=1),
            "export": lambda: exports.create(world.caller, ExportRequest.parse(b"{}")),
        }
        async with held(url, "DELETE FROM memferry.webhooks WHERE id = $1", hook):
            waiting = asyncio.create_task(work[action]())
            await blocked(url)

        assert await waiting


async def make_hook(database: Database, caller: Caller) -> UUID:
    """A webhook that nobody answers."""
    new = NewWebhook(url="http://127.0.0.1:9/")
    row = await Webhooks(database, WebhookSettings(allow_private=True)).create(caller, new)
    return UUID(json.loads(row)["id"])


async def test_purges_revocations_and_deletions_of_exports_meet_no_deadlock(
    url: str, storage: LocalStorage
) -> None:
    async with open_database(url, size=32) as database:
        memories, tokens = Memories(database), Tokens(database)
        erasure = MemoryErasure(database, storage, ExportSettings(always_purge=True))
        exports = Exports(database, storage, ExportSettings(lifetime_seconds=60))
        for number in range(ROUNDS):
            world = await make_world(url, f"alice {number}")
            saved = [await save(memories, world.caller) for _ in range(TOKENS)]
            await asyncio.gather(
                *(erasure.delete(world.caller, memory_id, purge=True) for memory_id in saved),
                *(tokens.revoke(world.caller, token_id) for token_id in world.tokens),
                *(exports.delete(world.caller, export_id) for export_id in world.exports[::40]),
            )

    assert await count_deadlocks(url) == 0


async def test_deleting_a_tenant_in_use_meets_no_deadlock(url: str, storage: LocalStorage) -> None:
    async with open_database(url, size=16) as database:
        for number in range(2):
            world = await make_world(url, f"bob {number}")
            world.memories += [await save(Memories(database), world.caller) for _ in range(400)]
            gone = asyncio.create_task(TenantDeletion(url, storage).delete(f"bob {number}"))
            users = [asyncio.create_task(use(database, storage, world, gone)) for _ in range(12)]
            await gone
            refused = await asyncio.gather(*users)

            kinds = {type(fault) for faults in refused for fault in faults}
            # Of webhooks there may be only so many, also before.
            assert all(issubclass(kind, Denied | NotFound | Invalid) for kind in kinds), kinds
    assert await count_deadlocks(url) == 0


async def use(
    database: Database, storage: LocalStorage, world: World, gone: "asyncio.Task[Any]"
) -> list[MemferryError]:
    """Do all that changes something, as if each request had been let in before; what was refused.

    Goes on for a whole round after the tenant is gone.
    """
    memories, hooks = Memories(database), Webhooks(database, WebhookSettings(allow_private=True))
    erasure = MemoryErasure(database, storage, ExportSettings(always_purge=True))
    exports = Exports(database, storage, ExportSettings(lifetime_seconds=60))
    actions = (
        lambda: hooks.create(world.caller, NewWebhook(url="https://example.com")),
        lambda: save(memories, world.caller),
        lambda: exports.create(world.caller, ExportRequest.parse(b"{}")),
        lambda: erasure.delete(world.caller, world.next_memory(), purge=True),
        lambda: Tokens(database).create(world.caller, "more", Grant()),
        lambda: Tokens(database).revoke(world.caller, world.tokens[0]),
    )
    refused: list[MemferryError] = []
    last_round = False
    while not last_round:
        last_round = gone.done()
        for action in actions:
            try:
                await action()
            except MemferryError as fault:
                refused.append(fault)
    return refused
