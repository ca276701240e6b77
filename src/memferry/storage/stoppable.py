"""Uploads that end in an orderly way when their caller is cancelled."""

import asyncio
from collections.abc import AsyncIterable, Coroutine
from contextlib import suppress
from typing import Any


class Stoppable:
    """A source that can be made to fail from outside, and remembers why it failed."""

    def __init__(self, chunks: AsyncIterable[bytes]) -> None:
        self._chunks = aiter(chunks)
        self._stopped = False
        self.fault: BaseException | None = None

    def stop(self) -> None:
        """Fail at the next chunk."""
        self._stopped = True

    def __aiter__(self) -> "Stoppable":
        return self

    async def __anext__(self) -> bytes:
        if self._stopped:
            raise InterruptedError("the upload was cancelled")
        try:
            return await anext(self._chunks)
        except StopAsyncIteration:
            raise
        except BaseException as fault:
            self.fault = fault
            raise


async def see_through(work: Coroutine[Any, Any, None]) -> None:
    """See it through: a caller that is cancelled again waits all the same."""
    running = asyncio.ensure_future(work)
    while not running.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait([running])
    running.exception()  # looked at, or asyncio complains
