"""The job's guards, on real PostgreSQL: a claim that does not hold any more changes nothing."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from uuid import UUID, uuid4

import asyncpg
import pytest

from memferry.database.pool import Database
from memferry.jobs.queue import Queue
from memferry.model.identity import new_export_id
from memferry.model.job import Claim, Failure, JobProgress, Result, Status
from memferry.settings import WorkerSettings
from memferry.tenants.operator import Operator
from support.postgres import create_database, execute, open_database
from support.states import ALLOWED_CHANGES

RESULT = Result(
    rows=3,
    size_bytes=30,
    sha256=b"s" * 32,
    file_bytes=20,
    file_sha256=b"f" * 32,
    snapshot_at=1,
    lifetime_ms=60_000,
)
FAILURE = Failure(reason="the store is away", code="storage_unavailable", retryable=True)
CHANGES: dict[str, Callable[[Queue, Claim], Awaitable[object]]] = {
    "renew": lambda jobs, claim: jobs.renew(claim, JobProgress(5, 50)),
    "finish": lambda jobs, claim: jobs.finish(claim, RESULT),
    "fail": lambda jobs, claim: jobs.fail(claim, FAILURE),
    "release": lambda jobs, claim: jobs.release(claim, FAILURE, 3600),
    "hand_back": lambda jobs, claim: jobs.hand_back(claim, 3600),
}
RUNNING = """
INSERT INTO memferry.jobs (tenant_id, id, type, status, request, needs, row_count, attempt,
    failures, leased_by, leased_until)
VALUES ($1, $2, 'export', 'running', '{}', '{json}', 3, 2, 2, 'a', now() + interval '1 hour')
"""


@pytest.fixture(scope="module")
def own_url(database_url: str) -> Iterator[str]:
    """A database without the rule that only a running export has a lease: guards stand alone."""
    with create_database(database_url) as url:
        drop = "ALTER TABLE memferry.jobs DROP CONSTRAINT running_has_lease"
        asyncio.run(execute(url, drop))
        yield url


@pytest.fixture
async def database(own_url: str) -> AsyncIterator[Database]:
    async with open_database(own_url, size=2) as database:
        yield database


@pytest.fixture
async def owner(own_url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(own_url)
    yield connection
    await connection.close()


@pytest.fixture
def jobs(database: Database) -> Queue:
    return Queue(database, WorkerSettings(lease_seconds=3600))


@pytest.fixture
async def claim(own_url: str, owner: "asyncpg.Connection[asyncpg.Record]") -> Claim:
    """Worker A's second attempt at the only export there is, one of Alice."""
    await owner.execute("DELETE FROM memferry.jobs")
    name = f"alice-{uuid4()}"
    await Operator(own_url).create_token(name, "test")
    tenant_id: UUID = await owner.fetchval("SELECT id FROM memferry.tenants WHERE name = $1", name)
    export_id = new_export_id()
    await owner.execute(RUNNING, tenant_id, export_id)
    return Claim(tenant_id=tenant_id, job_id=export_id, type="export", attempt=2, worker="a")


async def row_of(owner: "asyncpg.Connection[asyncpg.Record]", claim: Claim) -> asyncpg.Record:
    row = await owner.fetchrow("SELECT * FROM memferry.jobs WHERE id = $1", claim.job_id)
    assert row is not None
    return row


async def put_in_status(
    owner: "asyncpg.Connection[asyncpg.Record]", claim: Claim, status: Status
) -> None:
    """Give the export another status; its lease stays as it is."""
    await owner.execute(
        "UPDATE memferry.jobs SET status = $2, "
        "completed_at = CASE WHEN $2 <> 'pending' THEN 1 END, "
        "sha256 = repeat('s', 32)::bytea, error = CASE WHEN $2 = 'failed' THEN 'x' END "
        "WHERE id = $1",
        claim.job_id,
        status,
    )


@pytest.mark.parametrize("change", CHANGES)
async def test_the_holder_of_the_lease_makes_every_change(
    change: str, jobs: Queue, claim: Claim, owner: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    before = await row_of(owner, claim)

    assert await CHANGES[change](jobs, claim) is True
    assert await row_of(owner, claim) != before


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(
    "wrong", [{"attempt": 1}, {"attempt": 3}, {"worker": "b"}, {"tenant_id": UUID(int=1)}], ids=str
)
async def test_another_attempt_worker_or_tenant_changes_nothing(
    change: str,
    wrong: dict[str, object],
    jobs: Queue,
    claim: Claim,
    owner: "asyncpg.Connection[asyncpg.Record]",
) -> None:
    before = await row_of(owner, claim)
    other = replace(claim, **wrong)  # type: ignore[arg-type]  # fields by name

    assert await CHANGES[change](jobs, other) is False
    assert await jobs.read(other) is None
    assert await row_of(owner, claim) == before


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("status", [each for each in ALLOWED_CHANGES if each != "running"])
async def test_no_worker_changes_an_export_that_is_not_running(
    change: str,
    status: Status,
    jobs: Queue,
    claim: Claim,
    owner: "asyncpg.Connection[asyncpg.Record]",
) -> None:
    await put_in_status(owner, claim, status)
    before = await row_of(owner, claim)

    assert await CHANGES[change](jobs, claim) is False
    assert await jobs.read(claim) is None
    assert await row_of(owner, claim) == before


async def test_an_export_with_a_valid_lease_is_not_claimed(jobs: Queue, claim: Claim) -> None:
    assert await jobs.claim("b", ["json"]) is None
    await jobs.hand_back(claim)
    again = await jobs.claim("b", ["json"])

    assert again == replace(claim, attempt=3, worker="b")
    await jobs.hand_back(again, 3600)


async def test_a_format_the_worker_does_not_know_is_left_to_another(
    jobs: Queue, claim: Claim
) -> None:
    await jobs.hand_back(claim)

    assert await jobs.claim("old", ["csv", "ndjson"]) is None
    assert await jobs.claim("new", ["json"]) is not None


async def test_only_a_running_export_has_a_lease(database_url: str) -> None:
    wrong = "UPDATE memferry.jobs SET leased_by = 'a', leased_until = now(), status = 'pending'"
    connection = await asyncpg.connect(database_url)
    export_id, tenant_id = new_export_id(), uuid4()
    try:
        await connection.execute("BEGIN")
        await connection.execute(
            "INSERT INTO memferry.tenants (id, name) VALUES ($1, $2)", tenant_id, str(tenant_id)
        )
        await connection.execute(RUNNING, tenant_id, export_id)
        with pytest.raises(asyncpg.CheckViolationError, match="running_has_lease"):
            await connection.execute(f"{wrong} WHERE id = '{export_id}'")
    finally:
        await connection.close()


async def test_progress_never_goes_back(
    jobs: Queue, claim: Claim, owner: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    await jobs.renew(claim, JobProgress(100, 1000))
    await jobs.renew(claim, JobProgress(7, 70))
    row = await row_of(owner, claim)

    assert (row["rows_done"], row["bytes_done"]) == (100, 1000)


async def test_a_failure_counts_and_an_orderly_stop_does_not(
    jobs: Queue, claim: Claim, owner: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    await jobs.release(claim, FAILURE, 3600)
    failed = (await row_of(owner, claim))["failures"]
    await jobs.hand_back(claim, 3600)

    assert (failed, (await row_of(owner, claim))["failures"]) == (2, 1)


async def test_the_next_attempt_gets_the_last_error(jobs: Queue, claim: Claim) -> None:
    await jobs.release(claim, FAILURE, 3600)
    job = await jobs.read(claim)

    assert job is not None
    assert job.last_error == FAILURE.reason
