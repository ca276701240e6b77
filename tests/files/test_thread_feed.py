"""Items for a thread: in order, a few ahead, with faults in their place, and with an end."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from memferry.files.thread_feed import feed_thread
from memferry.files.threads import OneThread


class Maker:
    """Makes numbers, and notes how far it came and that it was closed."""

    def __init__(self, count: int, *, fails_at: int = -1, stalls: bool = False) -> None:
        self.made = 0
        self.closed = False
        self._count, self._fails_at, self._stalls = count, fails_at, stalls

    async def make(self) -> AsyncGenerator[int, None]:
        try:
            for number in range(self._count):
                if number == self._fails_at:
                    raise ValueError(number)
                self.made += 1
                yield number
            if self._stalls:
                await asyncio.Event().wait()
        finally:
            self.closed = True


async def test_a_thread_gets_all_items_in_order() -> None:
    maker, thread = Maker(1_000), OneThread()
    async with feed_thread(maker.make(), ahead=2) as feed:
        assert await feed.wait_for(thread.start(list, feed)) == list(range(1_000))
    thread.close()


async def test_a_fault_comes_after_the_items_before_it() -> None:
    maker, thread = Maker(3, fails_at=2), OneThread()
    async with feed_thread(maker.make(), ahead=5) as feed:
        assert await feed.wait_for(thread.start(next, feed)) == 0
        assert await feed.wait_for(thread.start(next, feed)) == 1
        with pytest.raises(ValueError, match="2"):
            await feed.wait_for(thread.start(next, feed))
    thread.close()


async def test_no_more_items_are_made_than_wait_for_the_thread() -> None:
    maker = Maker(1_000)
    async with feed_thread(maker.make(), ahead=3):
        for _ in range(100):
            await asyncio.sleep(0)

        # Three lie ready, and one more waits for room.
        assert maker.made == 4
    assert maker.closed


async def test_a_cancelled_wait_ends_the_thread_that_waits_for_an_item() -> None:
    maker, thread = Maker(1, stalls=True), OneThread()

    async def work() -> None:
        async with feed_thread(maker.make(), ahead=2) as feed:
            await feed.wait_for(thread.start(list, feed))

    task = asyncio.create_task(work())
    await asyncio.sleep(0.05)
    task.cancel()
    async with asyncio.timeout(5):
        with pytest.raises(asyncio.CancelledError):
            await task

    assert maker.closed
    thread.close()
