"""One item ahead of the consumer: the next one is made while this one is written and hashed."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import TypeVar

from memferry.cancellation import finish_uncancelled

_T = TypeVar("_T")


async def read_ahead(items: AsyncIterator[_T]) -> AsyncGenerator[_T, None]:
    """The same items; what raises in the making of one does so in its place.

    To close it waits for the item that is being made.
    """
    task = _start(items)
    try:
        while True:
            try:
                item = await task
            except StopAsyncIteration:
                return
            task = _start(items)
            yield item
    finally:
        task.cancel()
        await finish_uncancelled(task)


def _start(items: AsyncIterator[_T]) -> asyncio.Task[_T]:
    async def take() -> _T:
        return await anext(items)

    return asyncio.create_task(take())
