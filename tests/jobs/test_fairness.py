"""Workers share themselves out between tenants, and no tenant has more of them than its cap."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from memferry.database.pool import SERVICE_ROLE, Database
from memferry.database.sql import sql
from memferry.errors import DatabaseUnavailable, StatementTimedOut
from memferry.formats import FORMATS
from memferry.jobs.queue import Queue
from memferry.model.identity import new_export_id
from memferry.model.job import Claim, Result
from memferry.settings import DatabaseSettings, Quotas, WorkerSettings
from support.database_relay import connect_to, find_address
from support.postgres import create_database, open_database

RESULT = Result(
    rows=1, size_bytes=1, sha256=bytes(32), snapshot_at=1, file_bytes=1, file_sha256=bytes(32)
)
QUEUE = """
INSERT INTO memferry.jobs (tenant_id, id, type, status, request, needs, row_count)
SELECT $1, id, 'export', 'pending', '{}', ARRAY[$3], 0 FROM unnest($2::text[]) AS id
"""
# Far more finished exports than unfinished ones, as in a service that has run for months.
MANY = """
INSERT INTO memferry.tenants (id, name)
SELECT gen_random_uuid(), number::text FROM generate_series(1, 500) AS number;
INSERT INTO memferry.jobs (tenant_id, id, type, status, request, row_count, created_at,
    completed_at, sha256)
SELECT id, lpad(name || 'Z' || number, 26, '0'), 'export', 'completed', '{}', 0, number, number,
    repeat('s', 32)::bytea
FROM memferry.tenants, generate_series(1, 100) AS number;
INSERT INTO memferry.jobs (tenant_id, id, type, status, request, needs, row_count, created_at)
SELECT id, lpad(name || 'A' || number, 26, '0'), 'export', 'pending', '{}', '{json}', 0, number
FROM memferry.tenants, generate_series(1, 10) AS number;
ANALYZE memferry.jobs;
"""
MORE = """
INSERT INTO memferry.jobs (tenant_id, id, type, status, request, needs, row_count, created_at)
SELECT id, lpad(name || 'B' || number, 26, '0'), 'export', 'pending', '{}', '{json}', 0,
    100 + number
FROM memferry.tenants, generate_series(1, 90) AS number;
"""

Owner = asyncpg.Connection  # its parameter exists only in the stubs


@pytest.fixture(scope="module")
def own_url(database_url: str) -> Iterator[str]:
    """A database in which no other worker claims."""
    with create_database(database_url) as url:
        yield url


@pytest.fixture
async def owner(own_url: str) -> AsyncIterator["Owner[asyncpg.Record]"]:
    connection = await asyncpg.connect(own_url)
    await connection.execute("TRUNCATE memferry.tenants CASCADE")
    yield connection
    await connection.close()


@pytest.fixture
async def database(own_url: str) -> AsyncIterator[Database]:
    async with open_database(own_url, size=32) as database:
        yield database


def jobs_of(database: Database, most: int) -> Queue:
    return Queue(database, WorkerSettings(lease_seconds=600), Quotas(running_exports=most))


async def queue(owner: "Owner[asyncpg.Record]", number: int, file_format: str = "json") -> UUID:
    """Queue that many exports of a new tenant."""
    tenant = uuid4()
    await owner.execute("INSERT INTO memferry.tenants VALUES ($1, $2)", tenant, str(tenant))
    await owner.execute(QUEUE, tenant, [new_export_id() for _ in range(number)], file_format)
    return tenant


async def claimed(jobs: Queue) -> Claim:
    claim = await jobs.claim("worker", FORMATS)
    assert claim is not None
    return claim


@asynccontextmanager
async def halting_server(url: str) -> AsyncIterator[tuple[str, asyncio.Event]]:
    """The URL of a server that hears one message after the one that takes a turn, and then none.

    The event tells that this has happened. At the end every connection is cut.
    """
    halted = asyncio.Event()
    writers: list[asyncio.StreamWriter] = []

    async def pass_on(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        messages: int | None = None
        while not halted.is_set() and (data := await source.read(2**16)):
            if messages is not None:
                messages += 1
            elif b"memferry turn" in data:
                messages = 0
            target.write(data)
            await target.drain()
            if messages == 1:
                halted.set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        above = await connect_to(url)
        writers.extend((writer, above[1]))
        await asyncio.gather(pass_on(reader, above[1]), pass_on(above[0], writer))

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield find_address(server, url), halted
        for writer in writers:
            writer.close()


async def let_lapse(owner: "Owner[asyncpg.Record]", claim: Claim) -> None:
    """Let the lease of a claim end a second ago."""
    await owner.execute(
        "UPDATE memferry.jobs SET leased_until = now() - interval '1 s' WHERE id = $1",
        claim.job_id,
    )


async def test_small_tenants_do_not_wait_for_the_backlog_of_a_large_one(
    database: Database, owner: "Owner[asyncpg.Record]"
) -> None:
    jobs = jobs_of(database, most=2)
    alice = await queue(owner, 60)
    at_work = [await claimed(jobs), await claimed(jobs)]
    for _ in range(5):
        await queue(owner, 2)
    done = []
    # Four workers: whenever one is done it takes the next.
    at_work += [await claimed(jobs), await claimed(jobs)]
    while at_work:
        done.append(at_work.pop(0))
        assert await jobs.finish(done[-1], RESULT)
        following = await jobs.claim("worker", FORMATS)
        at_work += [following] if following is not None else []

    tenants = [each.tenant_id for each in done]
    last_small = max(i for i, tenant in enumerate(tenants) if tenant != alice)
    assert len(done) == 70
    assert tenants[:last_small].count(alice) <= 6


async def test_concurrent_claims_never_exceed_the_cap_of_a_tenant(
    database: Database, owner: "Owner[asyncpg.Record]"
) -> None:
    jobs, most = jobs_of(database, most=3), 3
    for _ in range(3):
        await queue(owner, 60)
    at_work: Counter[UUID] = Counter()
    highest: Counter[UUID] = Counter()

    async def work(name: str) -> None:
        while await some_wait():
            claim = await jobs.claim(name, FORMATS)
            if claim is None:
                await asyncio.sleep(0.01)
                continue
            at_work[claim.tenant_id] += 1
            highest[claim.tenant_id] = max(highest[claim.tenant_id], at_work[claim.tenant_id])
            await asyncio.sleep(0.05)
            at_work[claim.tenant_id] -= 1
            assert await jobs.finish(claim, RESULT)

    async def some_wait() -> bool:
        async with database.connection() as connection:
            query = "SELECT EXISTS (SELECT FROM job_queue WHERE status = 'pending')"
            left: bool = await connection.fetchval(query)
        return left

    await asyncio.gather(*(work(f"claimer {n}") for n in range(32)))

    assert 1 < max(highest.values()) <= most


async def test_a_tenant_at_its_cap_is_skipped_though_its_exports_are_older(
    database: Database, owner: "Owner[asyncpg.Record]"
) -> None:
    jobs = jobs_of(database, most=1)
    alice, bob = await queue(owner, 3), await queue(owner, 3)

    assert [(await claimed(jobs)).tenant_id for _ in range(2)] == [alice, bob]
    assert await jobs.claim("worker", FORMATS) is None


async def test_among_equally_busy_tenants_the_one_least_recently_served_is_next(
    database: Database, owner: "Owner[asyncpg.Record]"
) -> None:
    jobs = jobs_of(database, most=5)
    alice = await queue(owner, 3)
    assert await jobs.finish(await claimed(jobs), RESULT)
    bob, charlie = await queue(owner, 2), await queue(owner, 2)
    served = []
    for _ in range(6):
        claim = await claimed(jobs)
        served.append(claim.tenant_id)
        assert await jobs.finish(claim, RESULT)

    assert served == [bob, charlie, alice] * 2


async def test_the_least_busy_tenant_is_next_though_it_was_served_last(
    database: Database, owner: "Owner[asyncpg.Record]"
) -> None:
    jobs = jobs_of(database, most=5)
    alice = await queue(owner, 3)
    at_work = [(await claimed(jobs)).tenant_id for _ in range(2)]
    bob = await queue(owner, 2)
    last = await claimed(jobs)
    assert await jobs.finish(last, RESULT)

    assert (*at_work, last.tenant_id) == (alice, alice, bob)
    assert (await claimed(jobs)).tenant_id == bob


async def test_a_tenant_alone_may_have_every_worker_up_to_its_cap(
    database: Database, owner: "Owner[asyncpg.Record]"
) -> None:
    jobs = jobs_of(database, most=5)
    alice = await queue(owner, 6)

    assert [(await claimed(jobs)).tenant_id for _ in range(5)] == [alice] * 5
    assert await jobs.claim("worker", FORMATS) is None


async def test_within_a_tenant_the_oldest_export_is_first(
    database: Database, owner: "Owner[asyncpg.Record]"
) -> None:
    jobs = jobs_of(database, most=5)
    await queue(owner, 4)
    await owner.execute("UPDATE memferry.jobs SET created_at = hashtext(id)")
    oldest = await owner.fetch("SELECT id FROM memferry.jobs ORDER BY created_at, id")

    assert [(await claimed(jobs)).job_id for _ in range(4)] == [row["id"] for row in oldest]


async def test_an_export_with_a_lapsed_lease_does_not_count_toward_the_cap(
    database: Database, owner: "Owner[asyncpg.Record]"
) -> None:
    jobs = jobs_of(database, most=1)
    await queue(owner, 1, "csv")
    lost = await claimed(jobs)
    await let_lapse(owner, lost)
    await owner.execute(QUEUE, lost.tenant_id, [new_export_id()], "json")
    # This worker cannot write what the dead one had.
    claim = await jobs.claim("worker", ["json"])

    assert claim is not None
    assert claim.job_id != lost.job_id


async def test_an_export_whose_worker_died_is_claimed_again_within_the_cap(
    database: Database, owner: "Owner[asyncpg.Record]"
) -> None:
    jobs = jobs_of(database, most=1)
    await queue(owner, 2)
    lost = await claimed(jobs)
    await let_lapse(owner, lost)
    again = await claimed(jobs)

    assert (again.job_id, again.attempt) == (lost.job_id, 2)
    assert await jobs.claim("worker", FORMATS) is None


async def test_a_locked_export_is_skipped_by_claims(
    database: Database, owner: "Owner[asyncpg.Record]"
) -> None:
    jobs = jobs_of(database, most=5)
    await queue(owner, 1)
    bob = await queue(owner, 1)
    async with owner.transaction():
        await owner.execute("SELECT FROM memferry.jobs ORDER BY id LIMIT 1 FOR UPDATE")

        assert (await asyncio.wait_for(claimed(jobs), 5)).tenant_id == bob


async def test_a_worker_halted_while_claiming_delays_other_claims_by_seconds_only(
    database: Database, owner: "Owner[asyncpg.Record]"
) -> None:
    await queue(owner, 1)
    came = asyncio.get_running_loop().time()
    async with AsyncExitStack() as halted:
        await halted.enter_async_context(database.prepare_exclusive("SELECT"))
        claim = await asyncio.wait_for(claimed(jobs_of(database, most=5)), 20)
        with pytest.raises(DatabaseUnavailable):
            await halted.aclose()

    assert claim.attempt == 1
    # The lease is as long as ever, however long the turn was waited for.
    assert claim.requested_at > came + 4


async def test_a_worker_halted_in_its_claim_statement_delays_other_claims_by_seconds_only(
    own_url: str, database: Database, owner: "Owner[asyncpg.Record]"
) -> None:
    await queue(owner, 1)
    async with halting_server(own_url) as (url, halted):
        halting = Database(url, DatabaseSettings(pool_size=1))
        await halting.open()
        doomed = asyncio.create_task(claimed(jobs_of(halting, most=5)))
        await asyncio.wait_for(halted.wait(), 10)
        claim = await asyncio.wait_for(claimed(jobs_of(database, most=5)), 20)

        assert claim.attempt == 1
        assert not doomed.done()
    with pytest.raises(DatabaseUnavailable):
        await doomed
    await halting.close()


async def test_a_claim_that_times_out_waiting_succeeds_the_next_time(
    own_url: str, database: Database, owner: "Owner[asyncpg.Record]"
) -> None:
    await queue(owner, 1)
    async with open_database(own_url, size=1, statement_seconds=1) as hasty:
        async with database.prepare_exclusive("SELECT"):
            with pytest.raises(StatementTimedOut):
                await claimed(jobs_of(hasty, most=5))
        claim = await claimed(jobs_of(hasty, most=5))

    assert claim.attempt == 1


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All nodes of a plan."""
    yield plan
    for each in plan.get("Plans", ()):
        yield from nodes(each)


async def plan_of_claim(owner: "Owner[asyncpg.Record]") -> dict[str, Any]:
    """How PostgreSQL goes about a claim of the service's role, measured and undone."""
    transaction = owner.transaction()
    await transaction.start()
    await owner.execute(f"SET LOCAL ROLE {SERVICE_ROLE}; SET LOCAL search_path = {SERVICE_ROLE}")
    explain = "EXPLAIN (ANALYZE, BUFFERS, FORMAT json) " + sql("jobs/claim_job")
    plan = await owner.fetchval(explain, "worker", 20.0, list(FORMATS), 5)
    await transaction.rollback()
    found: dict[str, Any] = json.loads(plan)[0]["Plan"]
    return found


async def test_a_claim_uses_its_index_and_costs_no_more_when_the_queues_are_longer(
    owner: "Owner[asyncpg.Record]",
) -> None:
    await owner.execute(MANY)
    short = await plan_of_claim(owner)
    await owner.execute(MORE)
    long = await plan_of_claim(owner)

    for plan in (short, long):
        scans = [node for node in nodes(plan) if "Scan" in node["Node Type"]]
        scans = [node for node in scans if node.get("Relation Name") == "jobs"]
        used = Counter(node.get("Index Name") for node in scans)
        assert used["jobs_unfinished"] == 5
        assert set(used) == {"jobs_unfinished", "jobs_pkey"}
    assert long["Shared Hit Blocks"] < 2 * short["Shared Hit Blocks"] < 20_000
