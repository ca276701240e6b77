"""What a worker knows of its lease, by its own monotonic clock."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Protocol

from memferry.errors import LeaseLost, MemferryError, Unavailable
from memferry.model.job import Claim, JobProgress

_RENEWALS_PER_LEASE = 4
# A renewal also shows the progress and finds out about a cancelled job, so it is never rare.
_LONGEST_WAIT_SECONDS = 1.0


class Renewals(Protocol):
    """Where a lease is renewed."""

    async def renew(self, claim: Claim, progress: JobProgress) -> bool:
        """Keep the lease and note the progress; False: the lease was lost."""


class Lease:
    """Renewed beside the work, however slow the work is; interrupts the work once it is lost."""

    def __init__(self, renewals: Renewals, claim: Claim, *, seconds: float) -> None:
        """`seconds` is how long it lasts from the time the claim was asked for."""
        self._renewals = renewals
        self._claim = claim
        self._seconds = seconds
        self._clock = asyncio.get_running_loop().time
        self._good_until = claim.requested_at + seconds
        self._renewing: asyncio.Task[None] | None = None
        self._progress: Callable[[], JobProgress] = JobProgress
        self._interrupt: Callable[[MemferryError], None] = lambda _fault: None
        self._checks: Sequence[Callable[[], None]] = ()

    @asynccontextmanager
    async def hold(self) -> AsyncIterator[None]:
        """Renew it in the background, until its end."""
        self._renewing = asyncio.create_task(self._keep())
        try:
            yield
        finally:
            await self.end()

    async def end(self) -> None:
        """Stop renewing; returns when no renewal is in flight."""
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.wait([self._renewing])

    def observe(
        self,
        progress: Callable[[], JobProgress],
        interrupt: Callable[[MemferryError], None],
        checks: Sequence[Callable[[], None]] = (),
    ) -> None:
        """As Watch says. A lease that was lost before is found by the next check."""
        self._progress, self._interrupt, self._checks = progress, interrupt, checks

    def check(self) -> None:
        """Raises LeaseLost if another worker may have the job by now, or what a check raises."""
        if self._is_lost():
            raise LeaseLost
        for check in self._checks:
            check()

    async def confirm(self) -> None:
        """Renew now, then check: the database has the last word about a cancelled job."""
        await self._renew()
        self.check()

    async def _keep(self) -> None:
        while not self._is_lost():
            await asyncio.sleep(min(self._seconds / _RENEWALS_PER_LEASE, _LONGEST_WAIT_SECONDS))
            # The lease may outlive a database that is away; if not, it counts as lost.
            with suppress(Unavailable):
                await self._renew()
            for check in self._checks:
                self._interrupt_if_failed(check)
        self._interrupt(LeaseLost())

    def _interrupt_if_failed(self, check: Callable[[], None]) -> None:
        try:
            check()
        except MemferryError as fault:
            self._interrupt(fault)

    def _is_lost(self) -> bool:
        return self._clock() > self._good_until

    async def _renew(self) -> None:
        asked_at = self._clock()
        renewed = await self._renewals.renew(self._claim, self._progress())
        self._good_until = asked_at + self._seconds if renewed else float("-inf")
