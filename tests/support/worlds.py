"""Two databases with the same rows of Alice, Bob in one of them; statements cut at every place."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass

import asyncpg

from memferry.database.pool import SERVICE_ROLE
from support.canaries import (
    ALICE,
    BOBS,
    FRESH,
    SHARED,
    STATES,
    Names,
    make_query_for_bob,
    make_value,
    plant,
)
from support.mutants import bind_arguments, list_relations, make_mutants, parse_statement
from support.postgres import create_database
from support.statements import OF_THE_SESSION, STATEMENTS

_STAGED = """
INSERT INTO staged_memories
SELECT row_number() OVER (), id::uuid, 'c', 'n', '{t}', 's', NULL, NULL, 1, 1
FROM unnest($1::text[]) AS id
"""

# Words of both, and their keys with the marks of both: whoever knew Bob's keys would find nothing.
_WORDS = "{words,canary}"
_KEYS = "'AKEcwords' | 'AAsLwords' | 'AAsLcanary'"
# Elements of arrays that the statement itself reads as an array or as JSON.
_ARGUMENTS = {
    ("memories/save_memories", 4): '{"{}"}',
    ("memories/save_memories", 7): '{"{}"}',
    ("memories/search_memories by index", 3): _KEYS,
    ("memories/search_memories by reading", 3): _KEYS,
    ("memories/search_memories by index", 10): _WORDS,
    ("memories/search_memories by index", 11): _WORDS,
    ("memories/search_memories by reading", 10): _WORDS,
    ("memories/search_memories by reading", 11): _WORDS,
    ("memories/list_other_hits", 3): _KEYS,
    ("memories/list_newest_hits", 3): _KEYS,
    ("memories/read_other_hits", 3): _KEYS,
    ("memories/count_hits", 1): _KEYS,
    ("tenants/create_tenant_token", 5): "{memories:read}",
    ("operation/sign_in_worker", 5): "working",
}


@dataclass(frozen=True)
class Outcome:
    """What a statement showed, and Bob's rows before and after it."""

    shown: str
    failed: bool
    before: list[asyncpg.Record]
    after: list[asyncpg.Record]


@dataclass(frozen=True)
class World:
    """A database with Alice's rows, with or without Bob's."""

    connection: "asyncpg.Connection[asyncpg.Record]"
    of_bob: str
    """The query for his rows."""

    async def types(self, statement: str) -> list[str]:
        """The types of a statement's parameters, as PostgreSQL finds them."""
        prepared = await self.connection.prepare(statement)
        return [each.name for each in prepared.get_parameters()]

    async def rows_of_bob(self) -> list[asyncpg.Record]:
        """All he has, in one order whatever the plan is: statistics may come in between."""
        return sorted(await self.connection.fetch(self.of_bob), key=repr)

    async def outcome(
        self, statement: str, state: str, *, tenant: bool = True, unguarded: str = ""
    ) -> Outcome:
        """What a statement answers to the service in Alice's transaction, which is rolled back.

        `unguarded` is done before, by the owner.
        """
        connection, failed = self.connection, False
        setting = f"SET LOCAL memferry.tenant = '{ALICE}';" if tenant else ""
        await connection.execute(f"BEGIN; {STATES[state]}; {unguarded}; {setting}")
        before = after = await self.rows_of_bob()
        try:
            # Without a condition a recursion may never end.
            await connection.execute(
                f"SET LOCAL ROLE {SERVICE_ROLE}; SET LOCAL statement_timeout = '2s'"
            )
            answer = sorted(map(repr, await connection.fetch(statement)))
            await connection.execute("RESET ROLE")
            after = await self.rows_of_bob()
        except asyncpg.PostgresError as fault:
            failed, answer = True, [f"{type(fault).__name__}: {fault} {fault.detail}"]
        finally:
            await connection.execute("ROLLBACK")
        return Outcome(_timeless("\n".join(answer)), failed, before, after)


def _timeless(shown: str) -> str:
    """Without what two runs of one statement never share: times, names of snapshots, chance ids."""
    shown = re.sub(r"\b1[6-9]\d{11}\b", "<now>", shown)
    shown = re.sub(r"datetime\.datetime\(20[2-9]\d[^)]*\)", "<now>", shown)
    shown = re.sub(r"'[0-9A-F]{8}-[0-9A-F]{8}-\d+'", "<snapshot>", shown)
    # Seconds since the times that were planted.
    shown = re.sub(r"=-\d{6,}\b", "=-<seconds>", shown)
    return re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", "<id>", shown)


@contextmanager
def create_worlds(database_url: str) -> Iterator[tuple[str, str]]:
    """Two databases: with Bob, and without him."""
    with create_database(database_url) as both, create_database(database_url) as alone:
        asyncio.run(_plant_at(both, with_bob=True))
        asyncio.run(_plant_at(alone, with_bob=False))
        yield both, alone


async def _plant_at(url: str, *, with_bob: bool) -> None:
    connection = await asyncpg.connect(url)
    await plant(connection, with_bob=with_bob)
    await connection.close()


@asynccontextmanager
async def enter_worlds(urls: tuple[str, str]) -> AsyncIterator[tuple[World, World]]:
    """With Bob, and without him."""
    async with AsyncExitStack() as stack:
        made = []
        for url in urls:
            settings = {"search_path": SERVICE_ROLE}
            connection = await asyncpg.connect(url, server_settings=settings)
            stack.push_async_callback(connection.close)
            await _stage(connection)
            made.append(World(connection, await make_query_for_bob(connection)))
        yield made[0], made[1]


async def _stage(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Make the tables of an import, which a session has for the length of a transaction."""
    for name in sorted(OF_THE_SESSION):
        await connection.execute(STATEMENTS[name].replace("ON COMMIT DROP", ""))
    await connection.execute(f"GRANT ALL ON staged_memories, settled_memories TO {SERVICE_ROLE}")
    await connection.execute(_STAGED, [SHARED.uuid, BOBS.uuid, FRESH.uuid])


async def make_attempts(world: World, name: str) -> AsyncIterator[tuple[str, str, str]]:
    """Every mutant with every set of arguments in every state: what it is, itself, the state."""
    tree, types = parse_statement(STATEMENTS[name]), await world.types(STATEMENTS[name])
    states = (
        STATES
        if list_relations(tree) & {"jobs", "exports", "imports", "job_queue"}
        else ["running"]
    )
    tried = set()
    for what, mutant in make_mutants(tree):
        for names in (SHARED, BOBS, FRESH):
            arguments = {
                number: (kind, _argument(name, number, kind, names))
                for number, kind in enumerate(types, 1)
            }
            statement = bind_arguments(mutant, arguments)
            if statement in tried:
                continue
            tried.add(statement)
            for state in states:
                yield f"{what}, {names.word}, {state}", statement, state


def _argument(name: str, number: int, kind: str, names: Names) -> str:
    if (name, number) in _ARGUMENTS:
        return _ARGUMENTS[name, number]
    return "{}" if kind in ("json", "jsonb") else make_value(kind, names, names.word)
