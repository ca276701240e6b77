"""The end of a job within a transaction of its tenant, which may hold the result as well."""

from memferry.database.pool import Connection
from memferry.database.sql import sql
from memferry.errors import LeaseLost
from memferry.model.job import Claim, Failure, Result


async def finish_job(
    connection: Connection, claim: Claim, result: Result, completed_at: int | None = None
) -> None:
    """Publish the result; raises LeaseLost: then it is nobody's.

    `completed_at` is in epoch ms; None: now.
    """
    done = await connection.fetchval(
        sql("jobs/finish_job"),
        claim.job_id,
        claim.attempt,
        claim.worker,
        result.rows,
        result.size_bytes,
        result.sha256,
        result.object_key,
        result.snapshot_at,
        result.lifetime_ms,
        result.file_bytes,
        result.file_sha256,
        completed_at,
        result.parts,
        result.expired_rows,
    )
    if done is None:
        raise LeaseLost


async def fail_job(connection: Connection, claim: Claim, failure: Failure) -> bool:
    """End the job without a result; False: the lease was lost."""
    done = await connection.fetchval(
        sql("jobs/fail_job"),
        claim.job_id,
        claim.attempt,
        claim.worker,
        failure.reason,
        failure.code,
        failure.retryable,
    )
    return done is not None
