"""What there is only so much of goes round: no tenant takes it all, and none waits for ever."""

import asyncio
from contextlib import AsyncExitStack
from uuid import UUID

import pytest

from memferry.database.connection_shares import ConnectionShares
from memferry.errors import Busy, TooMuchAtOnce
from memferry.shares import Shares

ALICE, BOB, CHARLIE = (UUID(int=number) for number in (1, 2, 3))


class Line:
    """Who took shares, in that order; each keeps them until let go."""

    def __init__(self, shares: Shares) -> None:
        self.shares = shares
        self.order: list[str] = []
        self._leave: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def come(self, name: str, tenant_id: UUID, amount: int = 1) -> None:
        """Stand in line."""
        self._leave[name] = asyncio.Event()
        self._tasks[name] = asyncio.create_task(self._stay(name, tenant_id, amount))
        await _settle()

    async def leave(self, name: str) -> None:
        """Give the shares back."""
        self._leave[name].set()
        await _settle()

    async def hang_up(self, name: str) -> None:
        """Wait no longer."""
        self._tasks[name].cancel()
        await _settle()

    async def end(self) -> None:
        """Let everybody go."""
        for event in self._leave.values():
            event.set()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _stay(self, name: str, tenant_id: UUID, amount: int) -> None:
        async with self.shares.take(tenant_id, amount):
            self.order.append(name)
            await self._leave[name].wait()


async def _settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_single_tenant_never_takes_the_whole_capacity() -> None:
    line = Line(Shares(3, tenant_most=2))
    for name in ("alice 1", "alice 2", "alice 3"):
        await line.come(name, ALICE)
    await line.come("bob", BOB)

    assert line.order == ["alice 1", "alice 2", "bob"]
    await line.end()


async def test_the_tenant_with_the_smallest_share_is_served_next() -> None:
    line = Line(Shares(3, tenant_most=3))
    for name in ("alice 1", "alice 2", "alice 3"):
        await line.come(name, ALICE)
    await line.come("alice 4", ALICE)
    await line.come("bob 1", BOB)
    await line.come("bob 2", BOB)
    await line.come("charlie", CHARLIE)
    for name in ("alice 1", "alice 2", "alice 3"):
        await line.leave(name)

    assert line.order[3:] == ["bob 1", "charlie", "alice 4"]
    await line.end()


async def test_requests_of_one_tenant_are_served_in_their_order() -> None:
    line = Line(Shares(4, tenant_most=4))
    await line.come("first", ALICE, 3)
    await line.come("large", ALICE, 2)
    await line.come("small", ALICE, 1)
    await line.leave("first")

    assert line.order == ["first", "large", "small"]
    await line.end()


async def test_a_request_that_gives_up_lets_a_smaller_one_behind_it_pass() -> None:
    line = Line(Shares(4, tenant_most=4))
    await line.come("first", ALICE, 3)
    await line.come("large", ALICE, 2)
    await line.come("small", ALICE, 1)
    await line.hang_up("large")

    assert line.order == ["first", "small"]
    await line.end()


async def test_a_cancelled_wait_takes_no_share() -> None:
    line = Line(Shares(1, tenant_most=1))
    await line.come("alice", ALICE)
    await line.come("bob", BOB)
    await line.come("charlie", CHARLIE)
    await line.hang_up("bob")
    await line.leave("alice")

    assert line.order == ["alice", "charlie"]
    await line.end()


async def test_a_share_granted_to_a_cancelled_request_is_given_back() -> None:
    shares = Shares(1, tenant_most=1)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(shares.take(ALICE))
        waiting = asyncio.create_task(shares.acquire(BOB, 1))
        await _settle()
        await stack.aclose()
        waiting.cancel()
        await _settle()

    assert waiting.cancelled()
    async with asyncio.timeout(1), shares.take(CHARLIE):
        pass


async def test_a_request_cancelled_before_its_grant_is_skipped() -> None:
    shares = Shares(1, tenant_most=1)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(shares.take(ALICE))
        bob, charlie = (asyncio.create_task(shares.acquire(who, 1)) for who in (BOB, CHARLIE))
        await _settle()
        bob.cancel()  # and before its task has heard of that:
        await stack.aclose()
        await charlie
        await _settle()

    assert bob.cancelled()
    shares.release(CHARLIE, 1)
    async with asyncio.timeout(1), shares.take(BOB):
        pass


async def test_a_wait_for_the_tenants_own_share_ends_with_too_many_requests() -> None:
    shares = Shares(2, tenant_most=1, wait_seconds=0.05)
    async with shares.take(ALICE):
        with pytest.raises(TooMuchAtOnce):
            await shares.acquire(ALICE, 1)


async def test_a_wait_for_shares_of_others_ends_with_service_busy() -> None:
    shares = Shares(1, tenant_most=1, wait_seconds=0.05)
    async with shares.take(ALICE):
        with pytest.raises(Busy):
            await shares.acquire(BOB, 1)


async def test_an_amount_above_the_share_of_a_tenant_counts_as_the_whole_share() -> None:
    shares = Shares(4, tenant_most=2)
    async with shares.take(ALICE, 100), shares.take(BOB, 2):
        pass


async def test_a_growing_share_is_given_back_whole() -> None:
    shares = Shares(10, tenant_most=8, wait_seconds=0.05)
    held = shares.reserve(ALICE)
    for amount in (2, 1, 5, 100):
        await held.grow(amount)
    with pytest.raises(Busy):
        await shares.acquire(BOB, 3)
    held.release()
    held.release()

    async with shares.take(BOB, 8), shares.take(ALICE, 2):
        pass


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memferry.shares._WAIT_SECONDS", 0.05)


@pytest.mark.usefixtures("impatient")
async def test_heavy_work_leaves_connections_to_small_requests_and_to_others() -> None:
    shares = ConnectionShares(10)
    async with AsyncExitStack() as stack:
        for _ in range(3):
            await stack.enter_async_context(shares.take(ALICE, heavy=True))
        with pytest.raises(TooMuchAtOnce):
            await stack.enter_async_context(shares.take(ALICE, heavy=True))
        for _ in range(3):
            await stack.enter_async_context(shares.take(ALICE, heavy=False))
        with pytest.raises(TooMuchAtOnce):
            await stack.enter_async_context(shares.take(ALICE, heavy=False))
        for _ in range(2):
            await stack.enter_async_context(shares.take(BOB, heavy=True))
        with pytest.raises(Busy):
            await stack.enter_async_context(shares.take(CHARLIE, heavy=False))


@pytest.mark.parametrize("size", [1, 2, 3])
async def test_a_pool_of_few_connections_serves_heavy_work_too(size: int) -> None:
    shares = ConnectionShares(size)
    for tenant_id in (ALICE, BOB):
        async with asyncio.timeout(1), shares.take(tenant_id, heavy=True):
            pass
