"""Flushing a file to the disk while it is still written."""

import asyncio
import os
from contextlib import suppress

# Whoever commits a row meanwhile waits for such a flush: the less it is, the shorter.
_FLUSH_BYTES = 8 * 1024 * 1024


class DiskFlush:
    """Flushes a file beside its writing, so that at its end little is left to wait for."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._flushed_bytes = 0
        self._running: asyncio.Future[None] | None = None

    def go_on(self, size_bytes: int) -> None:
        """Flush what was written by now, unless that is little or the last flush still runs."""
        idle = self._running is None or self._running.done()
        if idle and size_bytes - self._flushed_bytes >= _FLUSH_BYTES:
            self._look_at_last()
            self._flushed_bytes = size_bytes
            flush = asyncio.to_thread(os.fdatasync, self._descriptor)
            self._running = asyncio.ensure_future(flush)

    async def end(self) -> None:
        """Wait for the last flush; raises what it met, since the system tells a fault only once."""
        if self._running is not None:
            await asyncio.wait([self._running])
        self._look_at_last()

    async def abandon(self) -> None:
        """Wait for the last flush, whatever it meets: it needs the file open."""
        if self._running is not None:
            while not self._running.done():
                with suppress(asyncio.CancelledError):
                    await asyncio.wait([self._running])
            self._running.exception()  # looked at, or asyncio complains

    def _look_at_last(self) -> None:
        if self._running is not None:
            self._running.result()
