"""Many claimers at one queue: every attempt is given to exactly one of them."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import asyncpg
import pytest

from memferry.database.migrate import migrate
from memferry.database.pool import Database
from memferry.formats import FORMATS
from memferry.jobs.queue import Queue
from memferry.model.identity import new_export_id
from memferry.model.job import Claim, Failure, JobProgress, Result
from memferry.settings import DatabaseSettings, Quotas, WorkerSettings

pytestmark = pytest.mark.faults

_CLAIMERS = 32
_PER_ROUND = 1_000


@pytest.fixture
async def empty_url(database_url: str) -> AsyncIterator[str]:
    """The owner's address of a database in which no worker claims."""
    name = f"memferry_claims_{uuid4().hex[:12]}"
    connection = await asyncpg.connect(database_url)
    await connection.execute(f"CREATE DATABASE {name}")
    url = urlsplit(database_url)._replace(path=f"/{name}").geturl()
    await migrate(url)
    yield url
    await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await connection.close()


async def insert_pending(connection: "asyncpg.Connection[asyncpg.Record]", number: int) -> set[str]:
    """Queue that many exports of one new tenant; their ids."""
    tenant, ids = uuid4(), [new_export_id() for _ in range(number)]
    await connection.execute("INSERT INTO memferry.tenants VALUES ($1, $2)", tenant, str(tenant))
    await connection.execute(
        "INSERT INTO memferry.jobs (tenant_id, id, type, status, request, needs, row_count)"
        " SELECT $1, id, 'export', 'pending', '{}', '{json}', 0 FROM unnest($2::text[]) AS id",
        tenant,
        ids,
    )
    return set(ids)


def claiming(database: Database) -> Queue:
    """Jobs whose leases outlive the test; one tenant may have all of a round."""
    return Queue(database, WorkerSettings(lease_seconds=600), Quotas(running_exports=_PER_ROUND))


async def claim_all(jobs: Queue, worker: str) -> list[Claim]:
    """Claim until nothing is left."""
    claims = []
    while (claim := await jobs.claim(worker, FORMATS)) is not None:
        claims.append(claim)
    return claims


async def claimed_together(jobs: Queue) -> list[Claim]:
    """What all claimers got out of the queue, until each of them found it empty."""
    each = await asyncio.gather(*(claim_all(jobs, f"claimer {n}") for n in range(_CLAIMERS)))
    return [claim for claims in each for claim in claims]


async def said(jobs: Queue, word: str, claim: Claim) -> bool:
    """Say it about a claim; whether it was accepted."""
    failure = Failure(reason="broke", code="internal", retryable=True)
    result = Result(
        rows=1, size_bytes=1, sha256=bytes(32), file_bytes=1, file_sha256=bytes(32), snapshot_at=1
    )
    words: dict[str, Callable[[], Awaitable[bool]]] = {
        "renew": lambda: jobs.renew(claim, JobProgress(1, 1)),
        "finish": lambda: jobs.finish(claim, result),
        "fail": lambda: jobs.fail(claim, failure),
        "release": lambda: jobs.release(claim, failure, 1),
        "hand_back": lambda: jobs.hand_back(claim),
    }
    return await words[word]()


def attempts(claims: list[Claim]) -> Counter[tuple[UUID, str, int]]:
    """How often each attempt was given."""
    return Counter((each.tenant_id, each.job_id, each.attempt) for each in claims)


@pytest.mark.timeout(3600)
async def test_every_export_is_claimed_and_no_attempt_twice(
    empty_url: str,
    full: bool,
) -> None:
    owner = await asyncpg.connect(empty_url)
    database = Database(empty_url, DatabaseSettings(pool_size=_CLAIMERS))
    await database.open()
    jobs = claiming(database)
    for _ in range(100 if full else 3):
        await owner.execute("TRUNCATE memferry.jobs CASCADE")
        expected = await insert_pending(owner, _PER_ROUND)
        claims = await claimed_together(jobs)

        assert len(claims) == _PER_ROUND
        assert set(attempts(claims).values()) == {1}
        assert {each.job_id for each in claims} == expected
        assert len({each.worker for each in claims}) > 1
    await database.close()
    await owner.close()


@pytest.mark.parametrize("word", ["renew", "finish", "fail", "release", "hand_back"])
async def test_a_late_change_by_an_earlier_attempt_has_no_effect(empty_url: str, word: str) -> None:
    owner = await asyncpg.connect(empty_url)
    database = Database(empty_url, DatabaseSettings(pool_size=2))
    await database.open()
    jobs = claiming(database)
    await insert_pending(owner, 1)
    # Two exporters of one process have the same name.
    first = await jobs.claim("same", FORMATS)
    await owner.execute("UPDATE memferry.jobs SET leased_until = now() - interval '1 s'")
    second = await jobs.claim("same", FORMATS)
    assert first is not None
    assert second is not None
    before = await owner.fetchrow("SELECT * FROM memferry.jobs")
    heard = await said(jobs, word, first)
    after = await owner.fetchrow("SELECT * FROM memferry.jobs")
    heard_now = await said(jobs, word, second)
    await database.close()
    await owner.close()

    assert (heard, heard_now) == (False, True)
    assert after == before


async def test_each_lapsed_lease_is_claimed_again_once(empty_url: str) -> None:
    owner = await asyncpg.connect(empty_url)
    database = Database(empty_url, DatabaseSettings(pool_size=_CLAIMERS))
    await database.open()
    jobs = claiming(database)
    expected = await insert_pending(owner, 300)
    first = await claimed_together(jobs)
    await owner.execute("UPDATE memferry.jobs SET leased_until = now() - interval '1 s'")
    second = await claimed_together(jobs)
    late = [await jobs.renew(claim, JobProgress(1, 1)) for claim in first]
    await database.close()
    await owner.close()

    assert {(each.job_id, each.attempt) for each in first} == {(id_, 1) for id_ in expected}
    assert {(each.job_id, each.attempt) for each in second} == {(id_, 2) for id_ in expected}
    assert len(first) == len(second) == len(expected)
    assert not any(late), "a claim that was taken over still renews"
