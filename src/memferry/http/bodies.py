"""Reads bodies of requests within the memory that their tenant may hold."""

import asyncio
import mmap
from collections.abc import AsyncIterator
from tempfile import TemporaryFile

from starlette.requests import Request

from memferry.errors import Busy, TooLarge
from memferry.http.auth import HELD
from memferry.shares import Reservation

SMALL_BYTES = 64 * 1024
"""As much a request may hold without being counted."""
# A body, and what is made of it.
_COPIES = 2
_SPOOLED_BYTES = 8 * 1024 * 1024
_WRITTEN_BYTES = 1024 * 1024


async def hold_memory(request: Request, size_bytes: int) -> None:
    """Hold this many bytes until the answer is sent; up to 64 KiB are not counted.

    Raises TooMuchAtOnce or Busy where there is no room for long.
    """
    if size_bytes > SMALL_BYTES:
        held: Reservation = request.scope[HELD]
        await held.grow(size_bytes)


async def read_body(request: Request, limit_bytes: int) -> bytes:
    """Read the whole body; raises TooLarge as soon as it passes the limit.

    Raises TooMuchAtOnce or Busy where there is no memory for it.
    """
    return bytes(await _collect(_read_within(request, limit_bytes)))


async def read_large_body(request: Request, limit_bytes: int) -> bytearray | mmap.mmap:
    """Read a body; a large one is mapped from a file, whose pages the kernel may drop."""
    chunks = _read_within(request, limit_bytes)
    start = await _collect(chunks, _SPOOLED_BYTES)
    if len(start) <= _SPOOLED_BYTES:
        return start
    try:
        return await _spool(start, chunks)
    except OSError as fault:
        raise Busy from fault  # the disk is full


async def _read_within(request: Request, limit_bytes: int) -> AsyncIterator[bytes]:
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limit_bytes:
        raise TooLarge("body", limit_bytes)
    if announced.isdigit():
        await hold_memory(request, _COPIES * int(announced))
    size, expected = 0, int(announced) if announced.isdigit() else SMALL_BYTES
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit_bytes:
            raise TooLarge("body", limit_bytes)
        if size > expected:  # how much more will come, nobody knows
            expected = min(4 * size, limit_bytes)
            await hold_memory(request, _COPIES * expected)
        yield chunk


async def _collect(chunks: AsyncIterator[bytes], most: int | None = None) -> bytearray:
    """Join chunks until they are larger than `most`."""
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if most is not None and len(body) > most:
            break
    return body


async def _spool(start: bytearray, chunks: AsyncIterator[bytes]) -> mmap.mmap:
    with TemporaryFile(buffering=0) as file:
        await asyncio.to_thread(file.write, start)
        start.clear()
        async for chunk in chunks:
            start += chunk
            if len(start) >= _WRITTEN_BYTES:
                await asyncio.to_thread(file.write, start)
                start.clear()
        await asyncio.to_thread(file.write, start)
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
