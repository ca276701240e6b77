"""The queue in memory that simulations run on answers what PostgreSQL answers, step by step."""

import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Any, ParamSpec, TypeAlias, TypeVar
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import asyncpg
import pytest

from memferry.database.migrate import migrate
from memferry.database.pool import Database
from memferry.database.sql import sql
from memferry.jobs.queue import FinishedJobs, OwnedJobs, Queue
from memferry.model.job import Claim, Failure, JobProgress, Result
from memferry.model.token import Caller
from memferry.settings import DatabaseSettings, Quotas, WorkerSettings
from memferry.tenants.operator import Operator
from simulation.simulated import Chance, Process, Server
from simulation.simulated_jobs import Observer, Row, SimulatedQueue, Table, database_lost

SEQUENCES = 150
STEPS = 30
LEASE_SECONDS = 60
LONGER_MS = 100_000
KEPT_SECONDS = 50
WORKERS = ("worker A", "worker B")
FORMATS = (["json"], ["ndjson"], ["json", "ndjson", "csv"])
QUERY = """
SELECT tenant_id, id, status, request, needs, row_count, rows_done, bytes_done, sha256, object_key,
    attempt, failures, leased_by, snapshot_at, error, error_code, retryable, last_error,
    coalesce(leased_until > now(), false) AS leased
FROM memferry.jobs ORDER BY id
"""
PASS = """
UPDATE memferry.jobs SET leased_until = leased_until - interval '100 seconds',
    expires_at = expires_at - 100000
"""
_T = TypeVar("_T")
_Parameters = ParamSpec("_Parameters")


class Obliging(Server):
    """Does at once what it is asked."""

    async def call(
        self,
        process: Process,
        work: Callable[_Parameters, _T],
        *args: _Parameters.args,
        **kwargs: _Parameters.kwargs,
    ) -> _T:
        """Do it."""
        del process
        return work(*args, **kwargs)


class RealQueue(Queue):
    """All that is done to jobs, on PostgreSQL."""

    def __init__(self, database: Database, most: int) -> None:
        super().__init__(
            database, WorkerSettings(lease_seconds=LEASE_SECONDS), Quotas(running_exports=most)
        )
        self.end = OwnedJobs(database).end
        self.expire = FinishedJobs(database).expire
        self.find_dead = FinishedJobs(database).find_dead


AnyQueue: TypeAlias = RealQueue | SimulatedQueue


@dataclass
class Twins:
    """One queue twice, in PostgreSQL and in memory, and what was claimed there so far."""

    database: Database
    owner: "asyncpg.Connection[asyncpg.Record]"
    tenants: list[UUID]
    table: Table = field(default_factory=lambda: Table(time.time, Observer()))
    claims: list[Claim] = field(default_factory=list)
    made: int = 0

    async def ask_both(
        self, ask: Callable[[AnyQueue], Awaitable[_T]], most: int = 5
    ) -> tuple[_T, _T]:
        """What both answer: PostgreSQL first."""
        chance = Chance(0)
        twin = SimulatedQueue(
            Process("twin", chance),
            Obliging(chance, database_lost),
            self.table,
            lease_seconds=LEASE_SECONDS,
            running_per_tenant=most,
        )
        return await ask(RealQueue(self.database, most)), await ask(twin)

    async def empty(self) -> None:
        """Begin anew, with the same tenants."""
        await self.owner.execute("DELETE FROM memferry.jobs; DELETE FROM memferry.job_turns")
        self.table.rows.clear()
        self.table.turns.clear()
        self.claims.clear()

    async def contents(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """All rows of both."""
        real = [dict(row) for row in await self.owner.fetch(QUERY)]
        rows = sorted(self.table.rows.values(), key=lambda row: row.id)
        now = time.time()
        twin = [asdict(row) | {"leased": row.leased_until > now} for row in rows]
        names = real[0].keys() if real else ()
        return real, [{name: row[name] for name in names} for row in twin]


@pytest.fixture
async def twins(database_url: str) -> AsyncIterator[Twins]:
    """In a database of their own: a claim takes the exports of every tenant there is."""
    server, name = await asyncpg.connect(database_url), f"memferry_model_{uuid4().hex[:12]}"
    await server.execute(f"CREATE DATABASE {name}")
    url = urlsplit(database_url)._replace(path=f"/{name}").geturl()
    await migrate(url)
    for tenant in ("alice", "bob"):
        await Operator(url).create_token(tenant, "test")
    owner, database = await asyncpg.connect(url), Database(url, DatabaseSettings(pool_size=1))
    await owner.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    await database.open()
    tenants = await owner.fetch("SELECT id FROM memferry.tenants ORDER BY name")
    found = Twins(database, owner, [row["id"] for row in tenants])
    found.table.tenants.update(found.tenants)
    yield found
    await database.close()
    await owner.close()
    await server.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await server.close()


async def create(twins: Twins, choice: random.Random) -> object:
    """Queue an export in both."""
    twins.made += 1
    tenant_id, export_id = choice.choice(twins.tenants), f"{twins.made:026d}"
    values = (export_id, '{"n":1}', [choice.choice(("json", "ndjson"))], choice.randrange(9))
    async with twins.database.tenant(tenant_id) as connection:
        row = await connection.fetchrow(sql("exports/create_pending_export"), *values)
    assert row is not None
    twins.table.add(
        Row(
            tenant_id=tenant_id,
            id=export_id,
            created_at=row["created_at"],
            request=values[1],
            needs=values[2],
            row_count=values[3],
        )
    )
    return None


async def claim(twins: Twins, choice: random.Random) -> object:
    """Let a worker claim an export."""
    worker, formats = choice.choice(WORKERS), choice.choice(FORMATS)
    most = choice.choice((1, 2, 5))
    answers = await twins.ask_both(lambda queue: queue.claim(worker, formats), most)
    twins.claims += [answer for answer in answers[:1] if answer is not None]
    return answers


async def change(twins: Twins, choice: random.Random) -> object:
    """Let somebody who has, had or pretends to have a claim make a change."""
    held = _some_claim(twins, choice)
    rows, pause = choice.randrange(9), choice.choice((0, 60))
    failure = Failure(reason=f"reason {rows}", code=f"code_{rows}", retryable=rows % 2 == 0)
    result = Result(
        rows=rows,
        size_bytes=rows * 10,
        sha256=b"s" * 32,
        object_key=held.object_key,
        file_bytes=rows * 3,
        file_sha256=b"f" * 32,
        snapshot_at=rows,
        lifetime_ms=KEPT_SECONDS * 1000,
    )
    changes: list[Callable[[AnyQueue], Awaitable[object]]] = [
        lambda queue: queue.read(held),
        lambda queue: queue.renew(held, JobProgress(rows, rows * 10)),
        lambda queue: queue.finish(held, result),
        lambda queue: queue.fail(held, failure),
        lambda queue: queue.release(held, failure, pause),
        lambda queue: queue.hand_back(held, pause),
    ]
    return await twins.ask_both(choice.choice(changes))


async def end(twins: Twins, choice: random.Random) -> object:
    """Cancel or delete a job of one type or another."""
    held, type_ = _some_claim(twins, choice), choice.choice(("export", "export", "other"))
    caller = Caller(tenant_id=held.tenant_id)
    return await twins.ask_both(lambda queue: queue.end(caller, type_, held.job_id))


async def sweep(twins: Twins, choice: random.Random) -> object:
    """Expire what is due, and ask which files are dead."""
    claims = [_some_claim(twins, choice) for _ in range(4)]
    objects = [(held.object_key, held.tenant_id, held.job_id, held.attempt) for held in claims]

    async def ask(queue: AnyQueue) -> object:
        expired = await queue.expire(500)
        return sorted(map(str, expired)), await queue.find_dead(objects)

    return await twins.ask_both(ask)


async def let_time_pass(twins: Twins, _choice: random.Random) -> object:
    """Let every lease and every lifetime end that began before."""
    await twins.owner.execute(PASS)
    for key, row in twins.table.rows.items():
        twins.table.rows[key] = replace(
            row,
            leased_until=row.leased_until - LONGER_MS / 1000,
            expires_at=None if row.expires_at is None else row.expires_at - LONGER_MS,
        )
    return None


STEPS_BY_WEIGHT = {create: 3, claim: 6, change: 10, end: 2, sweep: 2, let_time_pass: 3}


def _some_claim(twins: Twins, choice: random.Random) -> Claim:
    """A claim that was given, or one that differs in one thing from it, or that nobody had."""
    if not twins.claims:
        return Claim(
            tenant_id=twins.tenants[0], job_id="0" * 26, type="export", attempt=1, worker="nobody"
        )
    given = choice.choice(twins.claims[-6:])
    return choice.choice(
        (
            *(given,) * 5,
            replace(given, attempt=given.attempt + choice.choice((-1, 1))),
            replace(given, worker=choice.choice(WORKERS)),
            replace(given, tenant_id=choice.choice((*twins.tenants, UUID(int=1)))),
        )
    )


@pytest.mark.faults
async def test_the_simulated_rows_answer_what_postgresql_answers(
    twins: Twins, seed: int, *, full: bool
) -> None:
    for number in range(seed, seed + SEQUENCES * (20 if full else 1)):
        choice = random.Random(number)
        await twins.empty()
        for index in range(STEPS):
            (step,) = choice.choices(list(STEPS_BY_WEIGHT), list(STEPS_BY_WEIGHT.values()))
            answers = await step(twins, choice)
            where = f"seed {number}, step {index}: {step.__name__}"
            if isinstance(answers, tuple):
                assert answers[0] == answers[1], where
            real, twin = await twins.contents()
            assert real == twin, where
