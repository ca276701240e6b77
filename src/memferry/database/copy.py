"""COPY out of PostgreSQL as a stream of blocks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from memferry.database.pool import Connection
from memferry.model.copy import CopyOptions

BLOCK_BYTES = 512 * 1024
_BLOCKS_AHEAD = 4


class CopyOut:
    """A running COPY: iterate it for its bytes in blocks; afterwards `rows` is their number."""

    def __init__(self) -> None:
        self._blocks: asyncio.Queue[bytes | None] = asyncio.Queue(_BLOCKS_AHEAD)
        self._buffer = bytearray()
        self._fault: Exception | None = None
        self.rows = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (block := await self._blocks.get()) is not None:
            yield block
        if self._fault is not None:
            raise self._fault

    def fail(self, fault: Exception) -> None:
        """End the blocks with a fault; the reader gets it next, even if it waits already."""
        self._fault = fault
        while not self._blocks.empty():
            self._blocks.get_nowait()
        self._blocks.put_nowait(None)

    async def run(
        self, connection: Connection, query: str, arguments: list[object], options: CopyOptions
    ) -> None:
        """Copy until the last row; waits while the reader is behind, so memory stays bounded."""
        try:
            status = await connection.copy_from_query(
                query, *arguments, output=self._take, **options
            )
            self.rows = int(status.removeprefix("COPY "))
            await self._blocks.put(bytes(self._buffer))
        except Exception as fault:  # noqa: BLE001 - the reader gets it, at the end of the blocks
            self._fault = fault
        await self._blocks.put(None)

    async def _take(self, data: bytes) -> None:
        self._buffer += data
        if len(self._buffer) >= BLOCK_BYTES:
            block = bytes(self._buffer)
            self._buffer.clear()
            await self._blocks.put(block)


@asynccontextmanager
async def copy_out(
    connection: Connection, query: str, arguments: list[object], options: CopyOptions
) -> AsyncIterator[CopyOut]:
    """Run COPY (query) TO STDOUT beside the reader; leaving early stops it on the server too."""
    copy = CopyOut()
    task = asyncio.create_task(copy.run(connection, query, arguments, options))
    try:
        yield copy
    finally:
        task.cancel()
        await asyncio.wait([task])
