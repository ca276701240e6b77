"""Work that must end before its cancelled caller goes on."""

import asyncio
from contextlib import suppress
from typing import Any


async def finish_uncancelled(task: "asyncio.Future[Any]") -> None:
    """Wait until a task is done, however often the caller is cancelled meanwhile.

    Raises nothing: neither the fault of the task nor the cancellation. The caller raises its own.
    """
    while not task.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait([task])
    if not task.cancelled():
        task.exception()  # retrieved: asyncio logs an exception that nobody has retrieved
