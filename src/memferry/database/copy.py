"""COPY out of PostgreSQL as a stream of blocks, by one connection or by several in turn."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, ParamSpec, Self, TypeVar

from memferry.database.blocks import Block, CopyReader
from memferry.database.literals import bind_literals
from memferry.database.pool import Connection

BLOCK_BYTES = 1024 * 1024
_BLOCKS_AHEAD = 8
_T = TypeVar("_T")
_Parameters = ParamSpec("_Parameters")


class Segment:
    """The blocks of one statement, in order; at their end `rows` and `size_bytes` say how much."""

    def __init__(self, block_bytes: int, timeout: float | None) -> None:
        self._timeout = timeout
        self._block_bytes = block_bytes
        self.blocks: asyncio.Queue[Block | None] = asyncio.Queue(_BLOCKS_AHEAD)
        self.rows = 0
        self.size_bytes = 0

    async def copy(
        self, connection: Connection, query: str, arguments: list[object], reader: CopyReader
    ) -> None:
        """Copy until the last row; waits while the consumer is behind, so memory stays bounded."""
        waiting_bytes = 0

        async def take(data: bytes) -> None:
            nonlocal waiting_bytes
            reader.take(data)
            waiting_bytes += len(data)
            if waiting_bytes >= self._block_bytes:
                waiting_bytes = 0
                await self._put(reader.pop())

        status = await connection.copy_from_query(
            bind_literals(query, arguments),
            output=take,
            timeout=self._timeout,
            **reader.copy_options,
        )
        await self._put(reader.pop())
        self.rows = reader.end(int(status.removeprefix("COPY ")))

    async def put_ready(self, block: Block) -> None:
        """Hand on rows that were read without COPY."""
        self.rows += block.rows
        await self._put(block)

    async def end(self) -> None:
        """No block follows."""
        await self.blocks.put(None)

    async def _put(self, block: Block) -> None:
        if block.rows or block.data:
            self.size_bytes += len(block.data)
            await self.blocks.put(block)


class BlockStream:
    """The blocks of several segments, one after the other; afterwards `rows` counts all.

    Tasks fill the segments beside the consumer, and end with this context.
    """

    def __init__(
        self,
        segments_ahead: int = 1,
        *,
        block_bytes: int = BLOCK_BYTES,
        timeout: float | None = None,
    ) -> None:
        """At most `segments_ahead` segments wait for the consumer; a block has about `block_bytes`.

        `timeout` is how long one COPY may take, in seconds; None: as long as any statement.
        """
        self.rows = 0
        self._timeout = timeout
        self._block_bytes = block_bytes
        self._segments: asyncio.Queue[Segment | None] = asyncio.Queue(segments_ahead)
        self._awaited_queue: asyncio.Queue[Any] = self._segments
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

    def start(
        self,
        work: Callable[_Parameters, Coroutine[Any, Any, None]],
        *args: _Parameters.args,
        **kwargs: _Parameters.kwargs,
    ) -> None:
        """Start a task that fills segments; the consumer gets what it raises."""
        self._tasks.append(asyncio.create_task(self._run_guarded(lambda: work(*args, **kwargs))))

    async def add_segment(self) -> Segment:
        """A segment that comes after all before it; waits while too many are ahead."""
        segment = Segment(self._block_bytes, self._timeout)
        await self._segments.put(segment)
        return segment

    async def end(self) -> None:
        """No segment follows."""
        await self._segments.put(None)

    def fail(self, fault: Exception) -> None:
        """End the blocks with a fault; the consumer gets it next, even if it waits already."""
        self._fault = self._fault or fault
        if self._awaited_queue.empty():
            self._awaited_queue.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[Block]:
        while (segment := await self._next(self._segments)) is not None:
            while (block := await self._next(segment.blocks)) is not None:
                yield block
            self.rows += segment.rows

    async def _next(self, queue: "asyncio.Queue[_T | None]") -> _T | None:
        self._awaited_queue = queue
        item = None if self._fault else await queue.get()
        if self._fault is not None:
            raise self._fault
        return item

    async def _run_guarded(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await work()
        except Exception as fault:  # noqa: BLE001 - the consumer gets it
            self.fail(fault)
