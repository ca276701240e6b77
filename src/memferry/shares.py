"""Shares of a process's connections and memory, so that no tenant takes them from the others.

For one event loop; nothing here is safe to use from several threads.
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
"""Makes a request hold at least so many units until it ends; raises as `Shares.take`."""


async def hold_uncounted(_amount: int) -> None:
    """Hold no units: for callers whose memory is not limited."""


@dataclass(eq=False, frozen=True)
class _Waiter:
    amount: int
    granted: "asyncio.Future[None]"


class Shares:
    """A number of units, connections or bytes, of which each tenant may hold a part at once.

    When units become free, the waiting tenant that holds the fewest is served first, and within a
    tenant the request that came first.
    """

    def __init__(self, total: int, *, tenant_most: int, wait_seconds: float | None = None) -> None:
        """Nobody waits longer than `wait_seconds`; None means 10 s."""
        self._free = total
        self._tenant_most = min(total, tenant_most)
        self._wait_seconds = _WAIT_SECONDS if wait_seconds is None else wait_seconds
        self._held: Counter[UUID] = Counter()
        self._queues: dict[UUID, deque[_Waiter]] = {}

    @asynccontextmanager
    async def take(self, tenant_id: UUID, amount: int = 1) -> AsyncIterator[None]:
        """Hold units within the block, at most as many as one tenant may hold.

        Raises TooMuchAtOnce if they do not become free in time because the tenant itself holds too
        many, and Busy if other tenants hold them.
        """
        amount = min(amount, self._tenant_most)
        await self.acquire(tenant_id, amount)
        try:
            yield
        finally:
            self.release(tenant_id, amount)

    def reserve(self, tenant_id: UUID) -> "Reservation":
        """Begin a reservation of no units, which a request grows as it learns what it needs."""
        return Reservation(self, tenant_id, self._tenant_most)

    async def acquire(self, tenant_id: UUID, amount: int) -> None:
        """Take units until they are released, at most `tenant_most`; raises as `take`."""
        if tenant_id not in self._queues and self._fits(tenant_id, amount):
            self._grant(tenant_id, amount)
            return
        waiter = _Waiter(amount, asyncio.get_running_loop().create_future())
        queue = self._queues.setdefault(tenant_id, deque())
        queue.append(waiter)
        try:
            async with asyncio.timeout(self._wait_seconds):
                await waiter.granted
        except BaseException as fault:
            if waiter.granted.done() and not waiter.granted.cancelled():
                self.release(tenant_id, amount)
            else:
                self._leave(tenant_id, waiter)
                # Those behind it may want less than it did.
                self._serve()
            if isinstance(fault, TimeoutError):
                raise self._describe_wait(tenant_id, amount) from fault
            raise

    def release(self, tenant_id: UUID, amount: int) -> None:
        """Give units back, and serve those who wait."""
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
        """Serve waiters one after the other, while one can be served."""
        while True:
            ready = [
                tenant_id
                for tenant_id, queue in self._queues.items()
                if self._fits(tenant_id, queue[0].amount)
            ]
            if not ready:
                return
            tenant_id = min(ready, key=self._held.__getitem__)
            waiter = self._queues[tenant_id][0]
            self._leave(tenant_id, waiter)
            # A cancelled waiter stays in its queue until its task runs again.
            if not waiter.granted.done():
                self._grant(tenant_id, waiter.amount)
                waiter.granted.set_result(None)

    def _leave(self, tenant_id: UUID, waiter: _Waiter) -> None:
        """Remove a waiter from its queue, and move its tenant behind the others."""
        queue = self._queues.pop(tenant_id, deque())
        with suppress(ValueError):
            queue.remove(waiter)
        if queue:
            self._queues[tenant_id] = queue

    def _describe_wait(self, tenant_id: UUID, amount: int) -> TooMuchAtOnce | Busy:
        own = self._held[tenant_id] + amount > self._tenant_most
        return TooMuchAtOnce() if own else Busy()


class Reservation:
    """The units that one request holds until it releases them all."""

    def __init__(self, shares: Shares, tenant_id: UUID, most: int) -> None:
        self._shares = shares
        self._tenant_id = tenant_id
        self._most = most
        self._amount = 0

    async def grow(self, to_amount: int) -> None:
        """Hold at least `to_amount` units from now on; raises as `Shares.take`."""
        more = min(to_amount, self._most) - self._amount
        if more > 0:
            await self._shares.acquire(self._tenant_id, more)
            self._amount += more

    def release(self) -> None:
        """Give all units back."""
        amount, self._amount = self._amount, 0
        if amount:
            self._shares.release(self._tenant_id, amount)
