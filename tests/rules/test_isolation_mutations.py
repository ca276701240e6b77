"""Drop any condition from any statement: nothing of Bob's shows, nothing of his changes.

Two databases hold the same rows of Alice, and Bob is in one of them. A statement that runs for
Alice must not be able to tell them apart, whatever condition it has lost: same rows, same counts,
same errors. Bob has a row under every id that an argument names, and rows of his own.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import pytest

from memferry.database.pool import Database
from memferry.errors import UnknownToken
from memferry.tenants import tokens
from support.canaries import CANARY
from support.mutants import (
    bind_arguments,
    list_relations,
    make_mutants,
    parse_statement,
    write_statement,
)
from support.statements import ACROSS, FOR_A_TENANT, OF_THE_OWNER, STATEMENTS
from support.worlds import Outcome, World, create_worlds, enter_worlds, make_attempts

pytestmark = pytest.mark.long

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


@pytest.fixture(scope="module")
def urls(database_url: str) -> Iterator[tuple[str, str]]:
    """Two databases: with Bob, and without him."""
    with create_worlds(database_url) as made:
        yield made


@pytest.fixture
async def worlds(urls: tuple[str, str]) -> AsyncIterator[tuple[World, World]]:
    """With Bob, and without him."""
    async with enter_worlds(urls) as entered:
        yield entered


@pytest.mark.fuzz
@pytest.mark.parametrize("name", FOR_A_TENANT)
async def test_no_lost_condition_shows_alice_a_row_of_bob(
    worlds: tuple[World, World], name: str, *, full: bool, seed: int
) -> None:
    with_bob, without_bob = worlds
    ran = 0
    # The same statement is filled for many formats: a part of each is tried, another one each time.
    share = 1 if full or " as " not in name else 4
    every = [each async for each in make_attempts(with_bob, name)]
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
    async for what, statement, state in make_attempts(worlds[0], name):
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


@pytest.mark.parametrize("name", sorted(OF_THE_OWNER))
async def test_the_service_role_cannot_run_statements_of_the_owner(
    worlds: tuple[World, World], name: str
) -> None:
    async for _, statement, state in make_attempts(worlds[0], name):
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
        async for _, statement, state in make_attempts(worlds[0], name):
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
