"""A second type of job lives like exports do, though the queue knows neither."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from memferry.database.pool import Database
from memferry.errors import MemferryError, WrongBytes
from memferry.jobs.attempt import Attempts
from memferry.jobs.queue import FinishedJobs, OwnedJobs, Queue
from memferry.jobs.retry import RetryPolicy
from memferry.jobs.sweep import JobSweep
from memferry.jobs.work import Faults, Watch
from memferry.model.identity import new_export_id
from memferry.model.job import Claim, Job, JobProgress, Result, qualify_needs
from memferry.model.token import Caller
from memferry.settings import Quotas, StorageSettings, WorkerSettings
from memferry.storage import Storage, open_storage
from support.postgres import create_database, open_database

_INSERT = """
INSERT INTO memferry.jobs (tenant_id, id, type, status, request, needs, row_count)
VALUES ($1, $2, $3, 'pending', $4, $5, 0)
"""
_FILE = b"counted"


@dataclass
class Counting:
    """Counts to the number in the request, and waits at each number until it is let go on."""

    storage: Storage
    type: str = "counting"
    needs: frozenset[str] = frozenset({"upwards"})
    final_faults: Faults = ()
    faults: list[MemferryError] = field(default_factory=list)
    """What the next attempts meet, the last one first."""
    started: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    counted: int = 0

    async def run(self, claim: Claim, job: Job, watch: Watch) -> Result:
        self.counted = 0
        watch.observe(lambda: JobProgress(self.counted), lambda _fault: self.go_on.set())
        if self.faults:
            raise self.faults.pop()
        for number in range(json.loads(job.request)["to"]):
            self.counted = number + 1
            await watch.confirm()
            self.started.set()
            await self.go_on.wait()
            watch.check()
        await self._write(claim)
        return Result(rows=self.counted, size_bytes=0, object_key=claim.object_key, lifetime_ms=0)

    async def _write(self, claim: Claim) -> None:
        async def chunks() -> AsyncIterator[bytes]:
            yield _FILE

        await self.storage.put(
            claim.object_key,
            chunks(),
            sha256=hashlib.sha256(_FILE).digest,
            media_type="text/plain",
            filename="counted",
        )

    async def undo(self, claim: Claim) -> None:
        await self.storage.delete(claim.object_key)


@dataclass
class House:
    """A database and a store without workers, and the second type of job."""

    database: Database
    owner: "asyncpg.Connection[asyncpg.Record]"
    storage: Storage
    work: Counting

    async def add_tenant(self) -> UUID:
        tenant_id = uuid4()
        await self.owner.execute(
            "INSERT INTO memferry.tenants VALUES ($1, $2)", tenant_id, str(tenant_id)
        )
        return tenant_id

    async def add(self, tenant_id: UUID, type_: str = "counting", word: str = "upwards") -> str:
        job_id, needs = new_export_id(), qualify_needs(type_, [word])
        await self.owner.execute(_INSERT, tenant_id, job_id, type_, '{"to": 2}', needs)
        return job_id

    async def row(self, job_id: str) -> dict[str, Any]:
        row = await self.owner.fetchrow("SELECT * FROM memferry.jobs WHERE id = $1", job_id)
        return dict(row or {})

    def open_queue(self, most: int = 5) -> Queue:
        return Queue(self.database, WorkerSettings(lease_seconds=4), Quotas(running_exports=most))

    def attempts(self) -> Attempts:
        return Attempts(
            self.open_queue(),
            {self.work.type: self.work},
            worker="worker",
            lease_seconds=4,
            policy=RetryPolicy(attempts=3, first_pause=0),
        )


@pytest.fixture
def own_url(database_url: str) -> Iterator[str]:
    with create_database(database_url) as url:
        yield url


@pytest.fixture
async def house(own_url: str, tmp_path: Path) -> AsyncIterator[House]:
    storage = open_storage(StorageSettings(url=tmp_path.as_uri()))
    owner = await asyncpg.connect(own_url)
    async with open_database(own_url, size=4) as database:
        yield House(database, owner, storage, Counting(storage))
    await owner.close()


async def test_a_job_of_another_type_is_claimed_shows_its_progress_and_is_published(
    house: House,
) -> None:
    job_id = await house.add(await house.add_tenant())
    ticking = asyncio.create_task(house.attempts().tick())
    await house.work.started.wait()
    during = await house.row(job_id)
    house.work.go_on.set()
    found = await ticking
    after = await house.row(job_id)
    (entry,) = await house.owner.fetch("SELECT event, subject FROM memferry.audit")

    assert found
    assert (during["status"], during["rows_done"]) == ("running", 1)
    assert (after["status"], after["row_count"], after["attempt"]) == ("completed", 2, 1)
    assert await house.storage.stat(after["object_key"])
    assert tuple(entry) == ("counting.completed", job_id)


async def test_an_attempt_that_fails_is_followed_by_another_until_they_are_used_up(
    house: House,
) -> None:
    tenant = await house.add_tenant()
    lucky, unlucky = await house.add(tenant), await house.add(tenant)
    house.work.go_on.set()
    house.work.faults = [WrongBytes() for _ in range(2)]
    for _ in range(3):
        await house.attempts().tick()
    house.work.faults = [WrongBytes() for _ in range(3)]
    while await house.attempts().tick():
        pass
    rows = [await house.row(job_id) for job_id in (lucky, unlucky)]

    assert [(row["status"], row["attempt"]) for row in rows] == [("completed", 3), ("failed", 3)]
    assert rows[0]["last_error"] == rows[1]["error"] == str(WrongBytes())


async def test_a_cancelled_one_ends_at_once_and_publishes_nothing(house: House) -> None:
    tenant = await house.add_tenant()
    job_id = await house.add(tenant)
    owned, caller = OwnedJobs(house.database), Caller(tenant_id=tenant)
    ticking = asyncio.create_task(house.attempts().tick())
    await house.work.started.wait()
    other_type = await owned.end(caller, "export", job_id)
    cancelled = await owned.end(caller, "counting", job_id)
    await asyncio.wait_for(ticking, 10)
    status = (await house.row(job_id))["status"]

    assert (other_type, cancelled, status) == (False, True, "cancelled")
    assert [info async for info in house.storage.list("")] == []


async def test_objects_left_by_a_job_of_another_type_are_swept(house: House) -> None:
    job_id = await house.add(await house.add_tenant())
    house.work.go_on.set()
    await house.attempts().tick()
    files = [info.key async for info in house.storage.list("")]
    await JobSweep(FinishedJobs(house.database), house.storage).run()
    left = [info.key async for info in house.storage.list("")]

    assert (len(files), left) == (1, [])
    assert (await house.row(job_id))["status"] == "expired"


async def test_a_job_of_another_type_shares_turns_and_caps_with_exports(house: House) -> None:
    alice, bob = await house.add_tenant(), await house.add_tenant()
    jobs = [
        (await house.add(alice, "counting"), "counting"),
        (await house.add(alice, "export", "format json"), "export"),
        (await house.add(bob, "export", "format json"), "export"),
    ]
    abilities = qualify_needs("counting", ["upwards"]) + qualify_needs("export", ["format json"])
    queue = house.open_queue(most=1)
    first, second, third = [await queue.claim("worker", abilities) for _ in range(3)]

    assert first is not None
    assert second is not None
    assert {(claim.job_id, claim.type) for claim in (first, second)} == {jobs[0], jobs[2]}
    assert third is None


async def test_a_worker_without_the_type_or_its_words_leaves_it_to_others(house: House) -> None:
    tenant = await house.add_tenant()
    job_id = await house.add(tenant)
    queue = house.open_queue()
    words = (("export", ["upwards"]), ("counting", ["downwards"]), ("counting", ["upwards"]))
    claims = [await queue.claim("worker", qualify_needs(*ability)) for ability in words]

    assert [claim is None for claim in claims] == [True, True, False]
    assert claims[2] is not None
    assert claims[2].job_id == job_id
