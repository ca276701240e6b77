"""Flushing a file to the disk while it is still being written."""

import asyncio
import os

from memferry.cancellation import finish_uncancelled

# A commit of PostgreSQL on the same disk waits for a flush that runs: small flushes keep it short.
_FLUSH_BYTES = 8 * 1024 * 1024
_flush = getattr(os, "fdatasync", os.fsync)  # macOS has only the second


class DiskFlush:
    """Flushes a file beside its writing, so that little is left to flush at the end."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._flushed_bytes = 0
        self._running: asyncio.Future[None] | None = None

    def flush_written(self, size_bytes: int) -> None:
        """Start a flush of the bytes written so far.

        Does nothing while a flush runs, or if less than 8 MiB were written since the last one.
        """
        idle = self._running is None or self._running.done()
        if idle and size_bytes - self._flushed_bytes >= _FLUSH_BYTES:
            self._raise_fault()
            self._flushed_bytes = size_bytes
            flush = asyncio.to_thread(_flush, self._descriptor)
            self._running = asyncio.ensure_future(flush)

    async def finish(self) -> None:
        """Wait for the last flush; raises its fault, since Linux reports a fault only once."""
        if self._running is not None:
            await asyncio.wait([self._running])
        self._raise_fault()

    async def abandon(self) -> None:
        """Wait for the last flush and ignore its fault: the file must stay open until it ends."""
        if self._running is not None:
            await finish_uncancelled(self._running)

    def _raise_fault(self) -> None:
        if self._running is not None:
            self._running.result()
