"""Loops that work while there is work, and sleep until a hint or a poll says there is more."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import asyncpg

from memferry.database.pool import listen
from memferry.errors import MemferryError, Misconfigured, Unavailable
from memferry.telemetry import log_event

_POLL_SECONDS = 1.0
_PAUSE_SECONDS = 2.0

Tick = Callable[[], Awaitable[bool]]


class Loop:
    """Calls `tick` again and again; a tick answers whether it found anything to do."""

    def __init__(
        self, name: str, tick: Tick, *, channel: str | None, seconds: float = _POLL_SECONDS
    ) -> None:
        """`channel` is where PostgreSQL hints at work; `seconds` is how often to look without."""
        self.name = name
        self.channel = channel
        self._tick = tick
        self._seconds = seconds
        self._hint = asyncio.Event()
        self._logged: str | None = None
        self._stopping = False

    def wake(self) -> None:
        """Look for work now."""
        self._hint.set()

    def stop(self) -> None:
        """Finish the tick that runs, then end."""
        self._stopping = True
        self.wake()

    async def run(self) -> None:
        """Work until stopped. No error ends a loop: the next tick may find things mended."""
        while not self._stopping:
            self._hint.clear()
            try:
                worked = await self._tick()
                self._logged = None
                if worked:
                    continue
            except (Unavailable, Misconfigured) as fault:
                self._warn(str(fault))
                await self._rest(_PAUSE_SECONDS)
            except Exception as fault:  # noqa: BLE001 - see above
                self._warn(f"failed: {fault!r}", fault)
                await self._rest(_PAUSE_SECONDS)
            await self._rest(self._seconds)

    def _warn(self, reason: str, unknown: Exception | None = None) -> None:
        """Log a reason once, until a tick succeeds or fails for another one."""
        if reason != self._logged:
            log_event("loop.failed", loop=self.name, reason=reason, raised=unknown)
            self._logged = reason

    async def _rest(self, seconds: float) -> None:
        if not self._stopping:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._hint.wait(), seconds)


async def wake_on_notify(url: str, loops: Sequence[Loop]) -> None:
    """Pass PostgreSQL's notifications on to the loops, for ever; they only ever save a poll."""
    while True:
        with suppress(MemferryError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            connection = await listen(url)
            gone = asyncio.Event()
            connection.add_termination_listener(lambda _connection, gone=gone: gone.set())
            try:
                for loop in loops:
                    if loop.channel is not None:
                        await connection.add_listener(loop.channel, _waker(loop))
                await gone.wait()
            finally:
                await connection.close(timeout=1)
        await asyncio.sleep(_PAUSE_SECONDS)


def _waker(loop: Loop) -> Callable[..., None]:
    def wake(*_notification: object) -> None:
        loop.wake()

    return wake
