"""The table of jobs as a queue: who may work on which, and every change that a holder can make."""

import asyncio
from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from typing import LiteralString
from uuid import UUID

from memferry.database.pool import Connection, Database
from memferry.database.retry import retry_conflicts
from memferry.database.sql import sql
from memferry.errors import LeaseLost
from memferry.jobs.end import fail_job, finish_job
from memferry.jobs.work import SealedResult
from memferry.model.job import Claim, Failure, Job, JobProgress, Result
from memferry.model.token import Caller
from memferry.settings import Quotas, WorkerSettings


class Queue:
    """The jobs of all types, across tenants.

    Every change of a claimed job is guarded by (id, status, attempt, worker), and every lease runs
    by the database's clock: a worker whose lease was lost changes nothing, however late it wakes
    and whatever its own clock says.
    """

    def __init__(
        self, database: Database, worker: WorkerSettings, quotas: Quotas = Quotas()
    ) -> None:
        self._database = database
        self._running_per_tenant = quotas.running_exports
        self._lease_seconds = float(worker.lease_seconds)

    async def is_one_waiting(self) -> bool:
        """Whether there may be a job to claim."""
        async with self._database.connection() as connection:
            waiting: bool = await connection.fetchval(sql("jobs/find_waiting_job"))
        return waiting

    @retry_conflicts
    async def claim(self, worker: str, abilities: Collection[str]) -> Claim | None:
        """A job that nobody works on and whose needs the worker meets, if any.

        It is a new attempt, under a new lease. Tenants take turns: next is, of those with the
        fewest jobs at work, the one that was not served for longest, and none has more than its
        cap. Within a tenant the oldest is first.
        """
        async with self._database.prepare_exclusive(sql("jobs/claim_job")) as statement:
            # Not before: a turn may be waited for longer than a lease is long.
            requested_at = asyncio.get_running_loop().time()
            row = await statement.fetchrow(
                worker, self._lease_seconds, list(abilities), self._running_per_tenant
            )
        if row is None:
            return None
        return Claim(
            tenant_id=row["tenant_id"],
            job_id=row["id"],
            type=row["type"],
            attempt=row["attempt"],
            worker=worker,
            requested_at=requested_at,
        )

    @retry_conflicts
    async def read(self, claim: Claim) -> Job | None:
        """What to do; None if the claim does not hold any more."""
        async with self._database.tenant(claim.tenant_id) as connection:
            row = await connection.fetchrow(
                sql("jobs/get_job"), claim.job_id, claim.attempt, claim.worker
            )
        return None if row is None else Job(**row)

    async def renew(self, claim: Claim, progress: JobProgress) -> bool:
        """Keep the lease and note the progress; False: the lease was lost."""
        return await self._change(
            claim, "jobs/renew_job", self._lease_seconds, progress.rows, progress.size_bytes
        )

    @retry_conflicts
    async def finish(self, claim: Claim, result: Result) -> bool:
        """Publish the result; False: the lease was lost, and the result is nobody's."""
        publish = result.publication if isinstance(result, SealedResult) else _publish_plainly
        with suppress(LeaseLost):
            async with (
                self._database.tenant(claim.tenant_id) as connection,
                publish(connection) as completed_at,
            ):
                await finish_job(connection, claim, result, completed_at)
            return True
        return False

    @retry_conflicts
    async def fail(self, claim: Claim, failure: Failure) -> bool:
        """End the job without a result; False: the lease was lost."""
        async with self._database.tenant(claim.tenant_id) as connection:
            return await fail_job(connection, claim, failure)

    async def release(self, claim: Claim, failure: Failure, pause_seconds: float) -> bool:
        """Let the job be claimed again after a pause; the attempt counts as a failure."""
        return await self._change(claim, "jobs/release_job", pause_seconds, failure.reason)

    async def hand_back(self, claim: Claim, pause_seconds: float = 0) -> bool:
        """Let the job be claimed again, with nothing counted against it."""
        return await self._change(claim, "jobs/hand_back_job", pause_seconds)

    @retry_conflicts
    async def _change(self, claim: Claim, statement: LiteralString, *values: object) -> bool:
        async with self._database.tenant(claim.tenant_id) as connection:
            done = await connection.fetchval(
                sql(statement), claim.job_id, claim.attempt, claim.worker, *values
            )
        return done is not None


def _publish_plainly(_connection: Connection) -> AbstractAsyncContextManager[int | None]:
    return nullcontext(None)


class OwnedJobs:
    """What the owner of a job can do to it, whoever works on it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @retry_conflicts
    async def end(self, caller: Caller, type_: str, job_id: str) -> bool:
        """Cancel a job that is not finished, or delete one that is; False: there is none."""
        async with self._database.tenant(caller) as connection:
            ended = await connection.fetchval(
                sql("jobs/cancel_job"), job_id, type_
            ) or await connection.fetchval(sql("jobs/delete_job"), job_id, type_)
        return ended is not None


class FinishedJobs:
    """What the sweeper asks of the table of jobs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def expire(self, limit: int) -> Sequence[str | None]:
        """Expire up to `limit` jobs whose time is over; answers the keys of their files."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(sql("jobs/expire_jobs"), limit)
        return [row["object_key"] for row in rows]

    async def find_dead(self, objects: Sequence[tuple[str, UUID, str, int]]) -> set[str]:
        """The names of those that no job needs, now or ever: name, tenant, job and attempt each."""
        columns = [list(column) for column in zip(*objects, strict=True)] or [[], [], [], []]
        async with self._database.connection() as connection:
            rows = await connection.fetch(sql("jobs/find_dead_objects"), *columns)
        return {row["name"] for row in rows}
