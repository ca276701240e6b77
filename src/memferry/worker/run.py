"""Runs the loops of a worker from its first look at the schema to its last words."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from memferry.cancellation import wait_for_first
from memferry.database.migrate import find_schema_fault
from memferry.errors import Unavailable
from memferry.operation.workers import HEARTBEAT_SECONDS
from memferry.telemetry import log_event
from memferry.worker.attendance import Attendance
from memferry.worker.loop import Loop, wake_on_notify

_SCHEMA_SECONDS = 1.0
_LAST_WORDS_SECONDS = 5


@dataclass(frozen=True)
class Stop:
    """How a process is asked to end: `requested` once, then `hurry` when asked again."""

    requested: asyncio.Event = field(default_factory=asyncio.Event)
    hurry: asyncio.Event = field(default_factory=asyncio.Event)

    def ask(self) -> None:
        """Ask, or ask again."""
        (self.hurry if self.requested.is_set() else self.requested).set()


async def wait_for_schema(url: str, stop: Stop) -> bool:
    """Wait until the database is there with the schema of this version; False: told to stop."""
    logged: str | None = None
    while not stop.requested.is_set():
        try:
            fault = await find_schema_fault(url)
        except Unavailable as away:
            fault = str(away)
        if fault is None:
            return True
        if fault != logged:
            log_event("worker.delayed", reason=fault)
            logged = fault
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.requested.wait(), _SCHEMA_SECONDS)
    return False


async def run_loops(
    loops: Sequence[Loop], stop: Stop, attendance: Attendance, *, url: str, grace_seconds: float
) -> None:
    """Run until told to stop; what is in progress then has the grace to finish.

    Notifications of the database at `url` wake the loops.
    """
    # A worker is alive until its last job is finished, however long it has been stopping.
    signs_of_life = Loop("attendance", attendance.tick, channel=None, seconds=HEARTBEAT_SECONDS)
    beside = [
        asyncio.create_task(wake_on_notify(url, loops)),
        asyncio.create_task(signs_of_life.run()),
    ]
    tasks = [asyncio.create_task(loop.run(), name=loop.name) for loop in loops]
    await stop.requested.wait()
    for loop in loops:
        loop.stop()
    with suppress(TimeoutError):
        async with asyncio.timeout(grace_seconds):
            await wait_for_first(asyncio.wait(tasks), stop.hurry.wait())
    for task in (*tasks, *beside):
        task.cancel()
    # What they say last, a database that is away does not hear.
    await asyncio.wait([*tasks, *beside], timeout=_LAST_WORDS_SECONDS)
