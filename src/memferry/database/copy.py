"""COPY out of PostgreSQL as a stream of blocks, by one connection or by several in turn."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, ParamSpec, Self, TypeVar

from memferry.database.joined import Joined
from memferry.database.literal import filled
from memferry.database.pool import Connection
from memferry.model.copy import CopyOptions

BLOCK_BYTES = 1024 * 1024
_BLOCKS_AHEAD = 8
_T = TypeVar("_T")
_Parameters = ParamSpec("_Parameters")


class Part:
    """What one COPY sends: blocks in order, and at the end the number of rows and bytes."""

    def __init__(self, block_bytes: int, timeout: float | None) -> None:
        self._timeout = timeout
        self._joined: Joined | None = None
        self._block_bytes = block_bytes
        self.blocks: asyncio.Queue[bytes | None] = asyncio.Queue(_BLOCKS_AHEAD)
        self.rows = 0
        self.size_bytes = 0
        self._pieces: list[bytes | memoryview] = []
        self._waiting_bytes = 0

    async def copy(
        self, connection: Connection, query: str, arguments: list[object], options: CopyOptions
    ) -> None:
        """Copy until the last row; waits while the reader is behind, so memory stays bounded.

        In binary format many rows come in each value, as `export_joined` frames them.
        """
        self._joined = Joined() if options["format"] == "binary" else None
        statement = filled(query, arguments)
        status = await connection.copy_from_query(
            statement, output=self._take, timeout=self._timeout, **options
        )
        await self._hand_on()
        copied = int(status.removeprefix("COPY "))
        self.rows = copied if self._joined is None else self._joined.end(copied)
        await self.blocks.put(None)

    async def hold(self, block: bytes, rows: int) -> None:
        """Take what was read without COPY, all of it."""
        self.rows, self.size_bytes = rows, len(block)
        await self.blocks.put(block)
        await self.blocks.put(None)

    async def _take(self, data: bytes) -> None:
        if self._joined is None:
            self._pieces.append(data)
        else:
            self._pieces += self._joined.lines(data)
        self._waiting_bytes += len(data)
        if self._waiting_bytes >= self._block_bytes:
            await self._hand_on()

    async def _hand_on(self) -> None:
        if self._pieces:
            if self._joined is None:
                block = b"".join(self._pieces)
            else:
                # Each piece is many lines, all but the last with their ends.
                block = b"\n".join([*self._pieces, b""])
            self._pieces, self._waiting_bytes = [], 0
            self.size_bytes += len(block)
            await self.blocks.put(block)


class CopyOut:
    """The blocks of several parts, one part after the other; afterwards `rows` is their number.

    Whoever fills the parts runs beside the reader, as tasks that end with this context.
    """

    def __init__(
        self,
        parts_ahead: int = 1,
        *,
        block_bytes: int = BLOCK_BYTES,
        timeout: float | None = None,
    ) -> None:
        """So many parts may be begun before the reader has come to them; blocks have that size.

        `timeout` is how long one COPY may take, in seconds, if not as long as any statement.
        """
        self.rows = 0
        self._timeout = timeout
        self._block_bytes = block_bytes
        self._parts: asyncio.Queue[Part | None] = asyncio.Queue(parts_ahead)
        self._looked_at: asyncio.Queue[Any] = self._parts
        self._fault: Exception | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_fault: object) -> None:
        """Leaving early stops every COPY on the server too."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def run(
        self,
        work: Callable[_Parameters, Coroutine[Any, Any, None]],
        *args: _Parameters.args,
        **kwargs: _Parameters.kwargs,
    ) -> None:
        """Run something that fills parts; what it raises, the reader gets."""
        self._tasks.append(asyncio.create_task(self._see_through(lambda: work(*args, **kwargs))))

    async def part(self) -> Part:
        """A new part, read after all parts before; waits while too many are ahead."""
        part = Part(self._block_bytes, self._timeout)
        await self._parts.put(part)
        return part

    async def end(self) -> None:
        """No part follows."""
        await self._parts.put(None)

    def fail(self, fault: Exception) -> None:
        """End the blocks with a fault; the reader gets it next, even if it waits already."""
        self._fault = self._fault or fault
        if self._looked_at.empty():
            self._looked_at.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (part := await self._next(self._parts)) is not None:
            while (block := await self._next(part.blocks)) is not None:
                yield block
            self.rows += part.rows

    async def _next(self, queue: "asyncio.Queue[_T | None]") -> _T | None:
        self._looked_at = queue
        item = None if self._fault else await queue.get()
        if self._fault is not None:
            raise self._fault
        return item

    async def _see_through(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await work()
        except Exception as fault:  # noqa: BLE001 - the reader gets it
            self.fail(fault)
