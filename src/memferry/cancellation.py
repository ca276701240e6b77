"""Waits that a cancellation cannot cut short, and waits that end others by one."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Generic, TypeVar

_T = TypeVar("_T")


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


class InterruptibleTask(Generic[_T]):
    """A task that others may end with an exception, which its owner gets."""

    def __init__(self, work: Coroutine[Any, Any, _T]) -> None:
        self._task = asyncio.create_task(work)
        self._fault: Exception | None = None

    def interrupt(self, fault: Exception) -> None:
        """Cancel the task; `wait` raises the fault. Does nothing once it is done."""
        if self._fault is None and not self._task.done():
            self._fault = fault
            self._task.cancel()

    async def wait(self) -> _T:
        """Wait for the result; a cancellation of the caller cancels the task too.

        Raises the fault of an interruption that was in time.
        """
        try:
            return await self._task
        except asyncio.CancelledError:
            if self._fault is not None and self._task.cancelled():
                raise self._fault from None
            raise
