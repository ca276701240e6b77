"""Items of an asynchronous iterator for a thread, which takes one after another without a wait."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from queue import SimpleQueue
from typing import Generic, TypeVar

from memferry.cancellation import finish_uncancelled

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class FeedEnded(Exception):
    """Nobody waits any more for the work on the items."""


class ThreadFeed(Generic[_Item]):
    """An iterator for one thread, some items ahead of it."""

    def __init__(self, ahead: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._room = asyncio.Semaphore(ahead)
        self._queue = SimpleQueue[tuple[_Item] | Exception]()

    def __iter__(self) -> Iterator[_Item]:
        return self

    def __next__(self) -> _Item:
        """Wait for an item; what has raised in the making of one is raised in its place."""
        item = self._queue.get()
        if isinstance(item, Exception):
            raise item
        self._loop.call_soon_threadsafe(self._room.release)
        return item[0]

    async def wait_for(self, work: "asyncio.Future[_Result]") -> _Result:
        """Wait for work of the thread; if the caller is cancelled, the items end for it."""
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            self._queue.put(FeedEnded())
            await finish_uncancelled(work)
            raise

    async def fill(self, items: AsyncGenerator[_Item, None]) -> None:
        """Hand all items over, in order."""
        try:
            async with aclosing(items):
                async for item in items:
                    await self._room.acquire()
                    self._queue.put((item,))
        except Exception as fault:  # noqa: BLE001 - the thread gets it
            self._queue.put(fault)
        else:
            self._queue.put(StopIteration())


@asynccontextmanager
async def feed_thread(
    items: AsyncGenerator[_Item, None], *, ahead: int
) -> AsyncIterator[ThreadFeed[_Item]]:
    """Make items while a thread works on those before; at most `ahead` of them wait for it.

    To leave the context ends their making.
    """
    feed = ThreadFeed[_Item](ahead)
    filling = asyncio.create_task(feed.fill(items))
    try:
        yield feed
    finally:
        filling.cancel()
        await finish_uncancelled(filling)
