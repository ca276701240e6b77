"""Waits that a cancellation cannot cut short, and waits that end others by one."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, ParamSpec, TypeVar

_T = TypeVar("_T")
_Parameters = ParamSpec("_Parameters")


async def finish_uncancelled(task: "asyncio.Future[Any]") -> None:
    """Wait until a task is done, however often the caller is cancelled meanwhile.

    Raises nothing: neither the fault of the task nor the cancellation. The caller raises its own.
    """
    while not task.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait([task])
    if not task.cancelled():
        task.exception()  # retrieved: asyncio logs an exception that nobody has retrieved


async def wait_until_done(task: "asyncio.Future[_T]") -> _T:
    """Wait for what cannot be stopped, such as a call in a thread; a cancelled caller waits too."""
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await finish_uncancelled(task)
        raise


async def run_in_thread(
    work: Callable[_Parameters, _T], *args: _Parameters.args, **kwargs: _Parameters.kwargs
) -> _T:
    """Run a call in a thread; a caller that is cancelled waits for its end, and nothing runs on."""
    return await wait_until_done(asyncio.ensure_future(asyncio.to_thread(work, *args, **kwargs)))


async def wait_for_first(*waits: Coroutine[Any, Any, object], seconds: float | None = None) -> None:
    """Wait until one of several ends, for `seconds` at most, and cancel the others."""
    tasks = [asyncio.create_task(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


class Interruption:
    """The way to end work from outside by an exception, until the work is sealed."""

    def __init__(self) -> None:
        self._task: asyncio.Task[Any] | None = None
        self._fault: Exception | None = None
        self._sealed = False

    def interrupt(self, fault: Exception) -> None:
        """Cancel the work, whose `run` raises the fault; does nothing if it is sealed or over."""
        if self._task is not None and not self._sealed and self._fault is None:
            self._fault = fault
            self._task.cancel()

    def seal(self) -> None:
        """Let the work go on to its end from now on, whatever happens."""
        self._sealed = True

    async def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Do the work; a cancellation of the caller cancels it too.

        Raises the fault of an interruption.
        """
        self._task = task = asyncio.create_task(work)
        try:
            return await task
        except asyncio.CancelledError:
            if self._fault is not None and task.cancelled():
                raise self._fault from None
            raise
        finally:
            self._task = None
