"""Virtual time, chance, and the processes and servers that live in them.

What lies above these ports is the real thing: Attempts, Lease, ExportWork, JobSweep. Every choice
comes from one seed, so that a run can be repeated to the last step.
"""

import asyncio
import random
import selectors
from collections.abc import (
    Callable,
    Coroutine,
    Generator,
)
from contextlib import suppress
from typing import Any, ParamSpec, TypeVar

from memferry.errors import ObjectNotFound, StorageUnavailable
from memferry.model.job import Claim

# How likely a fault is at each chance it has; a seed draws one of these for each kind.
_RATES = (0.0, 0.0, 0.01, 0.04)
_FAULTS: dict[str, float] = {
    **dict.fromkeys(("kill", "freeze", "stop", "lose", "stall"), 1),
    "outage": 0.2,
    "hang": 5,
    "corrupt": 8,
}
_PACES = (0.1, 0.2, 0.6)
_LONG_SECONDS = 8.0
_T = TypeVar("_T")
_Parameters = ParamSpec("_Parameters")


class _Time(selectors.SelectSelector):
    """Waits for no file: it makes the time pass that it is told to wait."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise AssertionError("everybody waits, and nothing will ever happen again")
        self.now += timeout
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time passes only while nothing is left to do; threads take none of it."""

    def __init__(self) -> None:
        self._virtual = _Time()
        super().__init__(self._virtual)
        self._tasks: list[asyncio.Task[Any]] = []
        self.set_task_factory(self._remember)

    def faults(self) -> list[BaseException]:
        """What tasks have ended with, though nobody may have looked."""
        ended = [task for task in self._tasks if task.done() and not task.cancelled()]
        return [fault for task in ended if (fault := task.exception()) is not None]

    def _remember(
        self, _loop: object, work: Coroutine[Any, Any, _T] | Generator[Any, None, _T], **more: Any
    ) -> "asyncio.Task[_T]":
        task = asyncio.Task(work, loop=self, **more)
        self._tasks.append(task)
        return task

    def time(self) -> float:
        """Seconds since the loop was made."""
        return self._virtual.now

    def run_in_executor(
        self, executor: object, func: Callable[..., _T], *args: object
    ) -> "asyncio.Future[_T]":
        """Run it here and now."""
        del executor
        done: asyncio.Future[_T] = self.create_future()
        done.set_result(func(*args))
        return done


class Chance(random.Random):
    """What happens, and when; once it is calm, no fault happens any more."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.calm = False
        self._rates = {fault: self.choice(_RATES) * often for fault, often in _FAULTS.items()}
        self.pace = self.choice(_PACES)
        """What one step takes at most, in seconds, when nothing stalls it."""

    def strikes(self, fault: str) -> bool:
        """Whether that fault happens now."""
        return not self.calm and self.random() < self._rates[fault]

    def delay(self) -> float:
        """How long one step takes: at most the pace, unless it is stalled for much longer."""
        if self.strikes("stall"):
            return self.uniform(self.pace, _LONG_SECONDS)
        return self.step()

    def step(self) -> float:
        """How long one step takes that nothing stalls; mostly it is nearly nothing."""
        return self.random() ** 3 * self.pace


class Process:
    """What a machine does to a process: it kills it, stops it for a while, asks it to end."""

    def __init__(self, name: str, chance: Chance) -> None:
        self.name = name
        self.dead = False
        self.disturbed = False
        """Whether a fault has touched it since this was last reset."""
        self.claim: Claim | None = None
        """The last one it was given, until this is reset."""
        self.at_work = False
        """Whether it has yet to say how its attempt ended."""
        self.main: asyncio.Task[None] | None = None
        self._chance = chance
        self._stopping = False
        self._frozen_until = 0.0

    async def go_on(self) -> None:
        """Pass on to the next step, late or never. After its death a process takes no step."""
        loop, chance = asyncio.get_running_loop(), self._chance
        if not self.dead and chance.strikes("kill"):
            self.dead = True
            self._cancel()
        elif chance.strikes("freeze"):
            self._frozen_until = loop.time() + chance.uniform(0, 2 * _LONG_SECONDS)
        elif not self._stopping and chance.strikes("stop"):
            self._stopping = True
            self._cancel()
            await asyncio.sleep(0)
        while not self.dead and loop.time() < self._frozen_until:
            self.disturbed = True
            await asyncio.sleep(self._frozen_until - loop.time())
        if self.dead:
            raise asyncio.CancelledError

    def _cancel(self) -> None:
        if self.main is not None:
            self.main.cancel()


class Server:
    """Answers over a network: late, or not at all, and may have done the work all the same."""

    def __init__(self, chance: Chance, fault: Callable[[], Exception]) -> None:
        """`fault` is what a caller gets that gets no answer."""
        self.chance = chance
        self._fault = fault
        self._away_until = 0.0

    async def call(
        self,
        process: Process,
        work: Callable[_Parameters, _T],
        *args: _Parameters.args,
        **kwargs: _Parameters.kwargs,
    ) -> _T:
        """Have a process's request done. What a dead process has sent is done nevertheless."""
        await process.go_on()
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[_T] = loop.create_future()
        delay = self.chance.delay()
        process.disturbed |= delay > self.chance.pace
        sent = loop.call_later(delay, self._serve, process, lambda: work(*args, **kwargs), answer)
        try:
            result = await answer
        except asyncio.CancelledError:
            if not process.dead:
                sent.cancel()
            raise
        except Exception:
            process.disturbed = True
            raise
        await process.go_on()
        return result

    def _serve(
        self, process: Process, work: Callable[[], _T], answer: "asyncio.Future[_T]"
    ) -> None:
        loop, chance = asyncio.get_running_loop(), self.chance
        if chance.strikes("outage"):
            self._away_until = loop.time() + chance.uniform(0, _LONG_SECONDS)
        if not chance.calm and loop.time() < self._away_until:
            _settle(answer, self._fault())
        elif chance.strikes("lose"):
            process.disturbed = True
            late = chance.choice((None, 0.0, chance.uniform(0, _LONG_SECONDS)))
            if late is not None:
                loop.call_later(late, _regardless, work)
            loop.call_later(chance.step(), _settle, answer, self._fault())
        else:
            try:
                result: _T | Exception = work()
            except Exception as fault:  # noqa: BLE001 - it is the caller's
                result = fault
            if chance.random() < 0.3:
                loop.call_later(chance.step(), _settle, answer, result)
            else:
                _settle(answer, result)


def _regardless(work: Callable[[], object]) -> None:
    with suppress(StorageUnavailable, ObjectNotFound):
        work()


def _settle(answer: "asyncio.Future[_T]", result: "_T | Exception") -> None:
    if answer.done():
        return
    if isinstance(result, Exception):
        answer.set_exception(result)
    else:
        answer.set_result(result)
