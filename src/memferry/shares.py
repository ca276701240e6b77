"""What a process has only so much of, shared out so that no tenant takes it from the others.

Within one event loop; nothing here is a thread's.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from uuid import UUID

from memferry.errors import Busy, TooMuchAtOnce

_WAIT_SECONDS = 10.0

Hold = Callable[[int], Awaitable[None]]
"""Holds at least so many units from now on, until the request ends; raises as `Shares.take`."""


async def hold_uncounted(_amount: int) -> None:
    """Hold what nobody counts."""


@dataclass(eq=False, frozen=True)
class _Waiting:
    amount: int
    granted: "asyncio.Future[None]"


class Shares:
    """A number of units, such as connections or bytes; each tenant may hold some of them at once.

    Who waits is served when units come free: of several tenants the one that holds least, and
    within a tenant in order of arrival.
    """

    def __init__(self, total: int, *, tenant_most: int, wait_seconds: float | None = None) -> None:
        """Nobody waits longer than `wait_seconds`, 10 if not given."""
        self._free = total
        self._tenant_most = min(total, tenant_most)
        self._wait_seconds = _WAIT_SECONDS if wait_seconds is None else wait_seconds
        self._held: Counter[UUID] = Counter()
        self._queues: dict[UUID, deque[_Waiting]] = {}

    @asynccontextmanager
    async def take(self, tenant_id: UUID, amount: int = 1) -> AsyncIterator[None]:
        """Hold so many units; more than a tenant may have at all counts as all of that.

        Raises TooMuchAtOnce after a while in which the tenant itself has held too many, and Busy if
        others have.
        """
        amount = min(amount, self._tenant_most)
        await self.acquire(tenant_id, amount)
        try:
            yield
        finally:
            self.release(tenant_id, amount)

    def hold(self, tenant_id: UUID) -> "Held":
        """Units for one request that learns only by and by how many it needs."""
        return Held(self, tenant_id, self._tenant_most)

    async def acquire(self, tenant_id: UUID, amount: int) -> None:
        """Take so many units, at most `tenant_most`; as `take`."""
        if tenant_id not in self._queues and self._fits(tenant_id, amount):
            self._grant(tenant_id, amount)
            return
        waiting = _Waiting(amount, asyncio.get_running_loop().create_future())
        queue = self._queues.setdefault(tenant_id, deque())
        queue.append(waiting)
        try:
            async with asyncio.timeout(self._wait_seconds):
                await waiting.granted
        except BaseException as fault:
            if waiting.granted.done() and not waiting.granted.cancelled():
                self.release(tenant_id, amount)
            else:
                self._leave(tenant_id, waiting)
            if isinstance(fault, TimeoutError):
                raise self._describe_wait(tenant_id, amount) from fault
            raise

    def release(self, tenant_id: UUID, amount: int) -> None:
        """Give so many units back."""
        self._free += amount
        self._held[tenant_id] -= amount
        if not self._held[tenant_id]:
            del self._held[tenant_id]
        self._serve()

    def _fits(self, tenant_id: UUID, amount: int) -> bool:
        return amount <= self._free and self._held[tenant_id] + amount <= self._tenant_most

    def _grant(self, tenant_id: UUID, amount: int) -> None:
        self._free -= amount
        self._held[tenant_id] += amount

    def _serve(self) -> None:
        """Serve whoever can be served, one after the other."""
        while True:
            ready = [
                tenant_id
                for tenant_id, queue in self._queues.items()
                if self._fits(tenant_id, queue[0].amount)
            ]
            if not ready:
                return
            tenant_id = min(ready, key=self._held.__getitem__)
            waiting = self._queues[tenant_id][0]
            self._leave(tenant_id, waiting)
            # One that has been cancelled is found here before its task comes to leave.
            if not waiting.granted.done():
                self._grant(tenant_id, waiting.amount)
                waiting.granted.set_result(None)

    def _leave(self, tenant_id: UUID, waiting: _Waiting) -> None:
        """Take one out of its queue, if it is there; its tenant goes to the end of the line."""
        queue = self._queues.pop(tenant_id, deque())
        with suppress(ValueError):
            queue.remove(waiting)
        if queue:
            self._queues[tenant_id] = queue

    def _describe_wait(self, tenant_id: UUID, amount: int) -> TooMuchAtOnce | Busy:
        own = self._held[tenant_id] + amount > self._tenant_most
        return TooMuchAtOnce() if own else Busy()


class Held:
    """The units that one request holds, until it releases them all."""

    def __init__(self, shares: Shares, tenant_id: UUID, most: int) -> None:
        self._shares = shares
        self._tenant_id = tenant_id
        self._most = most
        self._amount = 0

    async def grow(self, to_amount: int) -> None:
        """Hold at least that many from now on; as `Shares.take`."""
        more = min(to_amount, self._most) - self._amount
        if more > 0:
            await self._shares.acquire(self._tenant_id, more)
            self._amount += more

    def release(self) -> None:
        """Give all of them back."""
        amount, self._amount = self._amount, 0
        if amount:
            self._shares.release(self._tenant_id, amount)
