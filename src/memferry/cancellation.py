"""Waits that a cancellation cannot cut short, and waits that end others by one."""

import asyncio
from collections.abc import Coroutine
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


async def wait_for_first(*waits: Coroutine[Any, Any, object], seconds: float | None = None) -> None:
    """Wait until one of several ends, for `seconds` at most, and cancel the others."""
    tasks = [asyncio.create_task(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
