"""The exports row as a job: who may work on it, and every change only its lease holder can make."""

import asyncio
from collections.abc import Collection
from typing import LiteralString

from memferry.database.pool import Database
from memferry.database.retry import retry_conflicts
from memferry.database.sql import sql
from memferry.model.export import Claim, Failure, Job, Result


class Jobs:
    """The queue of exports, across tenants.

    Every change of a claimed export is guarded by (id, status, attempt, worker), and every lease
    runs by the database's clock: a worker whose lease was lost changes nothing, however late it
    wakes and whatever its own clock says.
    """

    def __init__(
        self,
        database: Database,
        *,
        lease_seconds: float,
        lifetime_seconds: float,
        running_per_tenant: int = 5,
    ) -> None:
        """`running_per_tenant` is how many exports of one tenant may be worked on at once."""
        self._database = database
        self._running_per_tenant = running_per_tenant
        self._lease_seconds = lease_seconds
        self._lifetime_ms = int(lifetime_seconds * 1000)

    async def is_one_waiting(self) -> bool:
        """Whether there may be an export to claim."""
        async with self._database.connection() as connection:
            waiting: bool = await connection.fetchval(sql("exports/find_waiting_export"))
        return waiting

    @retry_conflicts
    async def claim(self, worker: str, abilities: Collection[str]) -> Claim | None:
        """An export that nobody works on and whose needs the worker meets, if any.

        It is a new attempt, under a new lease. Tenants take turns: next is, of those with the
        fewest exports at work, the one that was not served for longest, and none has more than its
        cap. Within a tenant the oldest is first.
        """
        async with self._database.prepare_exclusive(sql("exports/claim_export")) as statement:
            # Not before: a turn may be waited for longer than a lease is long.
            asked = asyncio.get_running_loop().time()
            row = await statement.fetchrow(
                worker, float(self._lease_seconds), list(abilities), self._running_per_tenant
            )
        if row is None:
            return None
        return Claim(
            tenant_id=row["tenant_id"],
            export_id=row["id"],
            attempt=row["attempt"],
            worker=worker,
            asked=asked,
        )

    @retry_conflicts
    async def read(self, claim: Claim) -> Job | None:
        """What to do; None if the claim does not hold any more."""
        async with self._database.tenant(claim.tenant_id) as connection:
            row = await connection.fetchrow(
                sql("exports/get_job"), claim.export_id, claim.attempt, claim.worker
            )
        return None if row is None else Job(**row)

    async def renew(self, claim: Claim, rows: int, size_bytes: int) -> bool:
        """Keep the lease and note the progress; False: the lease was lost."""
        return await self._change(
            claim, "exports/renew_export", float(self._lease_seconds), rows, size_bytes
        )

    async def complete(self, claim: Claim, result: Result) -> bool:
        """Publish the file; False: the lease was lost, and the file is nobody's."""
        return await self._change(
            claim,
            "exports/complete_export",
            result.rows,
            result.size_bytes,
            result.sha256,
            claim.object_key,
            result.snapshot_at,
            self._lifetime_ms,
            result.file_bytes,
            result.file_sha256,
        )

    async def fail(self, claim: Claim, failure: Failure) -> bool:
        """End the export without a file; False: the lease was lost."""
        return await self._change(
            claim, "exports/fail_export", failure.reason, failure.code, failure.retryable
        )

    async def release(self, claim: Claim, failure: Failure, pause_seconds: float) -> bool:
        """Let the export be claimed again after a pause; the attempt counts as a failure."""
        return await self._change(claim, "exports/release_export", pause_seconds, failure.reason)

    async def hand_back(self, claim: Claim, pause_seconds: float = 0) -> bool:
        """Let the export be claimed again, with nothing counted against it."""
        return await self._change(claim, "exports/return_export", pause_seconds)

    @retry_conflicts
    async def _change(self, claim: Claim, statement: LiteralString, *values: object) -> bool:
        async with self._database.tenant(claim.tenant_id) as connection:
            done = await connection.fetchval(
                sql(statement), claim.export_id, claim.attempt, claim.worker, *values
            )
        return done is not None
