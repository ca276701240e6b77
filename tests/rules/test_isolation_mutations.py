"""Drop any condition from any statement: nothing of Bob's shows, nothing of his changes.

Two databases hold the same rows of Alice, and Bob is in one of them. A statement that runs for
Alice must not be able to tell them apart, whatever condition it has lost: same rows, same counts,
same errors. Bob has a row under every id that an argument names, and rows of his own.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest

from memferry.database import sql
from memferry.database.pool import SERVICE_ROLE, Database
from memferry.errors import UnknownToken
from memferry.exports.request import ExportRequest
from memferry.filters import FILTERS, Selection
from memferry.filters.orders import ORDERS
from memferry.formats import Columns, Order
from memferry.memories.search import BY_INDEX, BY_READING
from memferry.tenants import tokens
from support.canaries import (
    ALICE,
    BOBS,
    CANARY,
    FRESH,
    SHARED,
    STATES,
    Names,
    make_query_for_bob,
    make_value,
    plant,
)
from support.mutants import (
    bind_arguments,
    list_relations,
    make_mutants,
    parse_statement,
    write_statement,
)
from support.postgres import create_database
from support.tenancy import ACROSS_TENANTS
from support.variants import FULL_CSV, PLAIN_VARIANTS, name_variant

pytestmark = pytest.mark.long

# Run by the operator's command line as the owner of the tables; the service could not run them.
OF_THE_OWNER = {
    "tenants/create_tenant",
    "tenants/create_token",
    "tenants/create_sign_in_link",
    "tenants/list_tokens",
    "tenants/revoke_token",
    "tenants/list_all_audit",
    "tenants/list_tenants",
    "tenants/begin_tenant_deletion",
    "tenants/remove_tenant_rows",
    "tenants/lock_tenant",
    "tenants/finish_tenant_deletion",
    "operation/replace_store_identity",
    "drill/find_newest_export",
}

# They look at the server's sessions, and at no row of anybody.
OF_SESSIONS = {"operation/find_oldest_snapshot", "worker/end_stuck_sessions"}

# They look at the server, and at no row of anybody.
OF_SERVERS = {
    "database/look_at_replay",
    "operation/measure_lag",
    "operation/read_cluster",
    "operation/read_server_version",
    "operation/read_standby_feedback",
    "database/read_position",
    "database/read_server_start",
    "database/describe_views",
}

# They look at the workers, and at no row of anybody.
OF_WORKERS = {
    "operation/find_other_worker",
    "worker/find_silent_workers",
    "worker/forget_workers",
    "operation/list_workers",
    "operation/sign_in_worker",
    "operation/sign_out_worker",
}

# Run without a tenant, over the views across tenants (tests/tenancy.py names their columns).
ACROSS = {
    "webhooks/claim_deliveries",
    "jobs/claim_job",
    "operation/count_jobs_at_work",
    "jobs/expire_jobs",
    "jobs/find_dead_objects",
    "exports/find_unsealed_exports",
    "exports/find_untold_exports",
    "worker/forget_manifests",
    "tenants/find_token",
    "tenants/find_sign_in",
    "jobs/find_waiting_job",
    "worker/forget_changes",
    "erasure/find_expired",
    "worker/forget_deliveries",
    "worker/forget_idempotency_keys",
    "worker/forget_messages",
    "worker/forget_uploads",
    "worker/forget_sign_ins",
}

# Run on the database of another system, whose table an operator imports.
OF_OTHER_SYSTEMS = {
    "imports/copy_records",
    "imports/list_foreign_tables",
    "imports/select_langgraph",
    "imports/select_mem0",
    "imports/select_open_webui",
}

# They make tables of their session alone, which it has already here.
OF_THE_SESSION = {"imports/create_staging", "imports/create_settled"}
_STAGED = """
INSERT INTO staged_memories
SELECT row_number() OVER (), id::uuid, 'c', 'n', '{t}', 's', NULL, NULL, 1, 1
FROM unnest($1::text[]) AS id
"""

# What these may change of a stranger's, if a condition is lost: states and times, and rows that the
# sweeper removes. Every other column and every other table stays.
STATE = {
    "jobs.status",
    "jobs.attempt",
    "jobs.failures",
    "jobs.leased_by",
    "jobs.leased_until",
    "jobs.object_key",
    "jobs.expires_at",
    "deliveries.attempt",
    "deliveries.next_attempt_at",
    "job_turns.claimed_at",
    "import_uploads",
    "export_payloads",
    "export_manifests",
    "idempotency_keys",
    "deliveries",
    "messages",
    "changes",
    "changes.stored_at",
    "sign_ins",
}

# The views of one tenant.
VIEWS = {
    "memories",
    "stored_memories",
    "searched_memories",
    "expired_memories",
    "retentions",
    "changes",
    "projects",
    "jobs",
    "exports",
    "imports",
    "import_uploads",
    "export_payloads",
    "export_manifests",
    "manifest_chain",
    "idempotency_keys",
    "export_buckets",
    "webhooks",
    "deliveries",
    "messages",
    "memory_usage",
    "tokens",
    "sign_ins",
    "audit",
    "tenant",
}
# Those over another view of one tenant, whose predicate they share.
ON_VIEWS = {
    "exports", "imports", "memories", "searched_memories", "expired_memories", "retentions",
}  # fmt: skip

# Words of both, and their keys with the marks of both: whoever knew Bob's keys would find nothing.
WORDS = "{words,canary}"
KEYS = "'AKEcwords' | 'AAsLwords' | 'AAsLcanary'"
# Elements of arrays that the statement itself reads as an array or as JSON.
_ARGUMENTS = {
    ("memories/save_memories", 4): '{"{}"}',
    ("memories/save_memories", 7): '{"{}"}',
    ("memories/search_memories by index", 3): KEYS,
    ("memories/search_memories by reading", 3): KEYS,
    ("memories/search_memories by index", 10): WORDS,
    ("memories/search_memories by index", 11): WORDS,
    ("memories/search_memories by reading", 10): WORDS,
    ("memories/search_memories by reading", 11): WORDS,
    ("memories/list_other_hits", 3): KEYS,
    ("memories/list_newest_hits", 3): KEYS,
    ("memories/read_other_hits", 3): KEYS,
    ("memories/count_hits", 1): KEYS,
    ("tenants/create_tenant_token", 5): "{memories:read}",
    ("operation/sign_in_worker", 5): "working",
}


# Their rows are one text each.
ANY_ORDER, BY_THREAD = {"exports/export_sample"}, {"exports/export_by_thread"}
IN_FRAMES = {"exports/export_frames", "exports/probe_rows"}


def statements() -> dict[str, str]:
    """Each statement file as it is run: with all filters, once per format, once per order."""
    every = dict.fromkeys(FILTERS)
    filled: dict[str, str] = {}
    for name, statement in sql._statements().items():  # noqa: SLF001 - every file there is
        if name in OF_OTHER_SYSTEMS:
            continue
        whole: str = statement
        if "{filters}" in statement:
            leading = max(map(int, re.findall(r"\$(\d+)", statement)), default=0)
            whole, _ = Selection.for_scan(every).fill(statement, *range(leading))
        if "{columns}" in whole:
            filled |= fill_columns(name, whole)
        elif "{match}" in whole:
            ways = {"by index": BY_INDEX, "by reading": BY_READING}
            filled |= {f"{name} {way}": whole.replace("{match}", ways[way]) for way in ways}
        elif "{time}" in whole:
            filled |= {f"{name} by {word}": order.fill(whole) for word, order in ORDERS.items()}
        else:
            filled[name] = whole
    return filled


def fill_columns(name: str, statement: str) -> dict[str, str]:
    """The statement once per format that it is run for."""
    filled = {}
    for variant in (*PLAIN_VARIANTS, FULL_CSV):
        kind = ExportRequest.parse(json.dumps(variant).encode()).format
        is_text = not isinstance(kind.rows, Columns)
        if name in IN_FRAMES and not (is_text and kind.rows.csv is None):
            continue
        if name not in ANY_ORDER and (name in BY_THREAD) != (kind.order is Order.THREADS):
            continue
        if "{frame}" in statement and is_text:
            continue
        filled[f"{name} as {name_variant(variant)}"] = kind.rows.render(statement)
    return filled


STATEMENTS = statements()
FOR_A_TENANT = sorted(
    STATEMENTS.keys()
    - (OF_THE_OWNER | OF_SESSIONS | OF_SERVERS | OF_WORKERS | OF_THE_SESSION | ACROSS)
)


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


@pytest.fixture(scope="module")
def urls(database_url: str) -> Iterator[tuple[str, str]]:
    """Two databases: with Bob, and without him."""
    with create_database(database_url) as both, create_database(database_url) as alone:
        asyncio.run(_plant_at(both, with_bob=True))
        asyncio.run(_plant_at(alone, with_bob=False))
        yield both, alone


async def _plant_at(url: str, *, with_bob: bool) -> None:
    connection = await asyncpg.connect(url)
    await plant(connection, with_bob=with_bob)
    await connection.close()


@pytest.fixture
async def worlds(urls: tuple[str, str]) -> AsyncIterator[tuple[World, World]]:
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


async def attempts(world: World, name: str) -> AsyncIterator[tuple[str, str, str]]:
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


@pytest.mark.fuzz
@pytest.mark.parametrize("name", FOR_A_TENANT)
async def test_no_lost_condition_shows_alice_a_row_of_bob(
    worlds: tuple[World, World], name: str, *, full: bool, seed: int
) -> None:
    with_bob, without_bob = worlds
    ran = 0
    # The same statement is filled for many formats: a part of each is tried, another one each time.
    share = 1 if full or " as " not in name else 4
    every = [each async for each in attempts(with_bob, name)]
    for what, statement, state in every[seed % share :: share]:
        # Side by side: an endless recursion is waited for once.
        outcome, same = await asyncio.gather(
            with_bob.outcome(statement, state), without_bob.outcome(statement, state)
        )
        ran += not outcome.failed

        assert outcome.shown == same.shown, f"{what}: {statement}"
        assert CANARY not in outcome.shown, f"{what}: {statement}"
        assert outcome.after == outcome.before, f"{what}: {statement}"
    assert ran, "no mutant ran at all"


@pytest.mark.parametrize("name", sorted(ACROSS))
@pytest.mark.parametrize("tenant", [True, False])
async def test_statements_across_tenants_show_no_word_of_bob(
    worlds: tuple[World, World], name: str, *, tenant: bool
) -> None:
    ran = 0
    async for what, statement, state in attempts(worlds[0], name):
        outcome = await worlds[0].outcome(statement, state, tenant=tenant)
        ran += not outcome.failed

        assert CANARY not in outcome.shown, f"{what}: {statement}"
        assert _changed(outcome) <= STATE, f"{what}: {statement}"
    assert ran, "no mutant ran at all"


def _changed(outcome: Outcome) -> set[str]:
    """What is different: `table.column`, or the table whose row is gone."""
    before, after = (_by_key(rows) for rows in (outcome.before, outcome.after))
    gone = {table for table, *_ in before.keys() - after.keys()}
    return gone | {
        f"{key[0]}.{column}"
        for key, row in after.items()
        for column in row
        if before[key][column] != row[column]
    }


def _by_key(rows: list[asyncpg.Record]) -> dict[tuple[str, str], dict[str, Any]]:
    decoded = [(row["table"], json.loads(row["row"])) for row in rows]
    names = ("id", "key", "export_id", "tenant_id")
    return {
        (table, next(row[name] for name in names if row.get(name))): row for table, row in decoded
    }


def test_the_list_of_statements_across_tenants_is_complete() -> None:
    named = {name: list_relations(parse_statement(each)) for name, each in STATEMENTS.items()}

    assert {name for name, views in named.items() if views & ACROSS_TENANTS.keys()} == ACROSS


def test_the_list_of_statements_of_the_owner_is_complete() -> None:
    named = {name: list_relations(parse_statement(each)) for name, each in STATEMENTS.items()}
    of_the_owner = {
        name
        for name, relations in named.items()
        if any(each.startswith("memferry.") for each in relations)
    }

    assert of_the_owner == OF_THE_OWNER


def test_the_list_of_statements_that_make_tables_is_complete() -> None:
    created = {name for name, each in STATEMENTS.items() if "CREATE TEMPORARY" in each}

    assert created == OF_THE_SESSION


def test_statements_on_sessions_read_nothing_else() -> None:
    named = {name: list_relations(parse_statement(each)) for name, each in STATEMENTS.items()}
    of_sessions = {name for name, relations in named.items() if "pg_stat_activity" in relations}

    assert of_sessions == OF_SESSIONS
    # And at who has signed in, which is no tenant's.
    assert all(named[name] <= {"pg_stat_activity", "workers"} for name in of_sessions)


def test_statements_on_workers_read_nothing_else() -> None:
    named = {name: list_relations(parse_statement(each)) for name, each in STATEMENTS.items()}

    assert {name for name, relations in named.items() if relations == {"workers"}} == OF_WORKERS


@pytest.mark.parametrize("name", sorted(OF_THE_OWNER))
async def test_the_service_role_cannot_run_statements_of_the_owner(
    worlds: tuple[World, World], name: str
) -> None:
    async for _, statement, state in attempts(worlds[0], name):
        assert "InsufficientPrivilege" in (await worlds[0].outcome(statement, state)).shown


async def test_a_view_without_a_tenant_predicate_of_its_own_reads_views_that_have_one(
    worlds: tuple[World, World],
) -> None:
    relations = await worlds[0].connection.fetch(
        "SELECT DISTINCT used.relnamespace::regnamespace::text AS schema, used.relname AS name "
        "FROM pg_rewrite JOIN pg_depend ON pg_depend.objid = pg_rewrite.oid "
        "JOIN pg_class AS used ON used.oid = pg_depend.refobjid AND used.oid <> ev_class "
        "WHERE ev_class = ANY (SELECT format('memferry_service.%I', name)::regclass "
        "FROM unnest($1::text[]) AS name)",
        sorted(ON_VIEWS),
    )

    assert {(row["schema"], row["name"]) for row in relations} == {
        ("memferry_service", "jobs"),
        ("memferry_service", "projects"),
        ("memferry_service", "stored_memories"),
    }


@pytest.mark.parametrize("view", sorted(VIEWS - ON_VIEWS))
async def test_a_view_without_its_tenant_predicate_is_noticed(
    worlds: tuple[World, World], view: str
) -> None:
    definition = await worlds[0].connection.fetchval(
        "SELECT pg_get_viewdef(format('memferry_service.%I', $1::text)::regclass)", view
    )
    unguarded = parse_statement(definition).copy()
    unguarded.args["where"].pop()
    replaced = f"CREATE OR REPLACE VIEW memferry_service.{view} AS {write_statement(unguarded)}"

    for name in FOR_A_TENANT:
        if view not in list_relations(parse_statement(STATEMENTS[name])):
            continue
        async for _, statement, state in attempts(worlds[0], name):
            outcome = await worlds[0].outcome(statement, state, unguarded=replaced)
            same = await worlds[1].outcome(statement, state, unguarded=replaced)
            if outcome.shown != same.shown or outcome.after != outcome.before:
                return
    pytest.fail(f"nothing notices that the view {view} shows everybody's rows")


async def test_an_unknown_token_is_refused_whatever_the_look_up_answers(
    worlds: tuple[World, World], urls: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    nobodys = {1: ("bytea", f"\\x{tokens.BearerToken('mnu_of-nobody').sha256.hex()}")}
    database, shown = Database(urls[0]), 0
    await database.open()
    try:
        for _, mutant in make_mutants(parse_statement(STATEMENTS["tenants/find_token"])):
            statement = bind_arguments(mutant, nobodys)
            shown += bool((await worlds[0].outcome(statement, "running", tenant=False)).shown)
            taking_one = f"SELECT * FROM ({statement}) AS found WHERE $1::bytea IS NOT NULL"
            monkeypatch.setattr(tokens, "sql", lambda _name, cut=taking_one: cut)
            with pytest.raises(UnknownToken):
                await tokens.Tokens(database).find_caller("mnu_of-nobody")
    finally:
        await database.close()

    assert shown, "no mutant finds a holder"
