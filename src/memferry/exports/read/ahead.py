"""One item ahead of the consumer: the next one is made while this one is written and hashed."""

import asyncio
from collections.abc import AsyncGenerator
from typing import TypeVar

from memferry.cancellation import finish_uncancelled

_T = TypeVar("_T")


async def read_ahead(items: AsyncGenerator[_T, None]) -> AsyncGenerator[_T, None]:
    """The same items; what raises in the making of one does so in its place.

    To close it waits for the item that is being made, and closes what makes them.
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
        await items.aclose()


def _start(items: AsyncGenerator[_T, None]) -> asyncio.Task[_T]:
    async def take() -> _T:
        return await anext(items)

    return asyncio.create_task(take())
