"""One attempt at one job: claim it, do its work, settle how that ended."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from memferry.cancellation import finish_uncancelled
from memferry.errors import (
    Invalid,
    LeaseLost,
    MemferryError,
    OtherStore,
    StorageUnavailable,
    Unavailable,
    WorkerLost,
)
from memferry.jobs.lease import Lease, Renewals
from memferry.jobs.retry import RetryPolicy
from memferry.jobs.work import Fitness, Work
from memferry.model.job import Claim, Failure, Job, Result, qualify_needs
from memferry.telemetry import log_event, log_span


@dataclass(frozen=True)
class Done:
    """There is a result to publish."""

    result: Result


@dataclass(frozen=True)
class Settled:
    """The work has ended the job itself, in the transaction of what it did."""


@dataclass(frozen=True)
class Failed:
    """No attempt will follow."""

    failure: Failure


@dataclass(frozen=True)
class Retry:
    """Another attempt may follow after a pause in seconds; this one counts as a failure."""

    failure: Failure
    pause: float


@dataclass(frozen=True)
class HandBack:
    """Another worker may take the job after a pause in seconds; nothing counts against the job."""

    pause: float = 0


@dataclass(frozen=True)
class Lost:
    """The job is another's by now, or cancelled."""


Outcome: TypeAlias = Done | Settled | Failed | Retry | HandBack | Lost


class JobQueue(Renewals, Protocol):
    """What an attempt asks of the queue; `memferry.jobs.queue.Queue` has the promises."""

    async def is_one_waiting(self) -> bool:
        """Whether there may be a job to claim."""

    async def claim(self, worker: str, abilities: Collection[str]) -> Claim | None:
        """A job that nobody works on and whose needs the worker meets, if any."""

    async def read(self, claim: Claim) -> Job | None:
        """What to do; None if the claim does not hold any more."""

    async def finish(self, claim: Claim, result: Result) -> bool:
        """Publish the result; False: the lease was lost."""

    async def fail(self, claim: Claim, failure: Failure) -> bool:
        """End the job without a result; False: the lease was lost."""

    async def release(self, claim: Claim, failure: Failure, pause_seconds: float) -> bool:
        """Let the job be claimed again after a pause; the attempt counts as a failure."""

    async def hand_back(self, claim: Claim, pause_seconds: float = 0) -> bool:
        """Let the job be claimed again, with nothing counted against it."""


class Attempts:
    """Takes queued jobs one at a time; several of these may run side by side anywhere."""

    def __init__(
        self,
        queue: JobQueue,
        works: Mapping[str, Work],
        *,
        worker: str,
        lease_seconds: float,
        policy: RetryPolicy,
        fitness: Fitness | None = None,
    ) -> None:
        """`works` are the types of jobs that this worker takes, by their names."""
        self._queue = queue
        self._works = works
        self._abilities = [
            need for work in works.values() for need in qualify_needs(work.type, work.needs)
        ]
        self._worker = worker
        self._lease_seconds = lease_seconds
        self._policy = policy
        self._fitness = fitness

    async def tick(self) -> bool:
        """Claim one job and see it through; False when none waits."""
        if not await self._queue.is_one_waiting() or not await self._may_work():
            return False
        claim = await self._queue.claim(self._worker, self._abilities)
        if claim is None:
            return False
        lease = Lease(self._queue, claim, seconds=self._lease_seconds)
        try:
            with log_span("attempt.ended", job=_name(claim), attempt=claim.attempt):
                async with lease.hold():
                    await self._attempt(claim, lease)
        except Unavailable as fault:
            log_event("job.abandoned", job=_name(claim), reason=fault)
        return True

    async def _may_work(self) -> bool:
        return self._fitness is None or await self._fitness.may_work()

    async def _attempt(self, claim: Claim, lease: Lease) -> None:
        """Do the work, then settle, also when the worker is stopped: nobody waits for a lease."""
        stopped: asyncio.CancelledError | None = None
        try:
            outcome = await self._find_outcome(claim, lease)
        except asyncio.CancelledError as stop:
            outcome, stopped = HandBack(), stop
        settling = asyncio.create_task(self._settle(claim, lease, outcome))
        try:
            await asyncio.shield(settling)
        except asyncio.CancelledError as stop:
            await finish_uncancelled(settling)
            stopped = stop
        if stopped is not None:
            raise stopped

    async def _find_outcome(self, claim: Claim, lease: Lease) -> Outcome:
        job = await self._queue.read(claim)
        if job is None:
            return Lost()
        if job.failures > self._policy.attempts:
            return Failed(_give_up(job))
        return await self._do_work(claim, job, lease)

    async def _do_work(self, claim: Claim, job: Job, lease: Lease) -> Outcome:
        work = self._works[claim.type]
        try:
            result = await work.run(claim, job, lease)
            return Settled() if result is None else Done(result)
        except LeaseLost:
            return Lost()
        except Invalid:
            # A newer version has queued it: its workers understand it.
            return HandBack(self._policy.longest_pause)
        except work.final_faults as fault:
            return Failed(_describe(fault))
        except MemferryError as fault:
            return await self._find_next(claim, job, fault)
        except Exception as fault:  # noqa: BLE001 - whatever it was, the job must go on
            log_event("attempt.crashed", job=_name(claim), attempt=claim.attempt, raised=fault)
            unknown = MemferryError(f"internal error ({type(fault).__name__})")
            return await self._find_next(claim, job, unknown)

    async def _find_next(self, claim: Claim, job: Job, fault: MemferryError) -> Outcome:
        """Another attempt after a pause that grows; after the last one, the reason."""
        log_event("attempt.failed", job=_name(claim), attempt=claim.attempt, reason=fault)
        if isinstance(fault, StorageUnavailable | OtherStore) and not await self._may_work():
            log_event("job.returned", job=_name(claim))
            return HandBack()
        if self._policy.allows_another(job.failures):
            return Retry(_describe(fault), self._policy.choose_pause(job.failures))
        return Failed(_describe(fault))

    async def _settle(self, claim: Claim, lease: Lease, outcome: Outcome) -> None:
        """Tell the queue how an attempt ended.

        The lease ends first: a later renewal would put a whole lease in the place of a pause.
        """
        await lease.end()
        match outcome:
            case Done(result):
                if not await self._queue.finish(claim, result):
                    await self._works[claim.type].undo(claim)
                    log_event("lease.lost", job=_name(claim), attempt=claim.attempt)
            case Failed(failure):
                await self._queue.fail(claim, failure)
            case Retry(failure, pause):
                await self._queue.release(claim, failure, pause)
            case HandBack(pause):
                await self._queue.hand_back(claim, pause)
            case Settled():
                pass
            case Lost():
                log_event("lease.lost", job=_name(claim), attempt=claim.attempt)


def _name(claim: Claim) -> str:
    return f"{claim.type} {claim.job_id}"


def _describe(fault: MemferryError) -> Failure:
    return Failure(reason=str(fault), code=fault.code, retryable=fault.retryable)


def _give_up(job: Job) -> Failure:
    """Why no further attempt is made though the last one has said nothing: its worker died."""
    reason = f"gave up after {job.failures - 1} attempts: {WorkerLost()}"
    if job.last_error is not None:
        reason += f" (an earlier attempt: {job.last_error})"
    return Failure(reason=reason, code=WorkerLost.code, retryable=WorkerLost.retryable)
