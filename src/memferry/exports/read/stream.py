"""The bytes of an export, first row to last byte: inline and queued exports take this path."""

import hashlib
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Sequence,
)
from contextlib import aclosing, asynccontextmanager, closing

from memferry.database.copy import BLOCK_BYTES, BlockStream
from memferry.database.pool import UNLIMITED_SECONDS, Connection, keep_order
from memferry.errors import MemferryError
from memferry.exports.read.ahead import read_ahead
from memferry.exports.read.plan import FRAME_BYTES, Plan, Probe, Way, plan
from memferry.exports.read.ranges import Ranges
from memferry.exports.read.statement import emit_ready_records, read_statement
from memferry.exports.request import ExportRequest
from memferry.files.thread_feed import feed_thread
from memferry.files.threads import OneThread, run_in_thread_if_large
from memferry.formats import BinaryFormat, Encoder, Format, Piece, TextFormat

# For the thread of an encoder; more of them lie in the stream of blocks.
_BLOCKS_AHEAD = 2


class RowStream:
    """The bytes of an export as they come, and the tally of those already handed out."""

    def __init__(
        self,
        format_: Format,
        blocks: BlockStream,
        on_last_row: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """`on_last_row` is awaited once the last row has been read, before its bytes go out."""
        self._format = format_
        self._blocks = blocks
        self._on_last_row = on_last_row
        self._encoder: Encoder | None = None
        self._thread = OneThread()
        self._pieces = self._make_pieces()
        self._sha256 = hashlib.sha256()
        self.rows_done = 0
        self.bytes_done = 0
        self.at_file_end = False
        """Whether the bytes so far end a file, and those of a next one follow."""

    @property
    def sha256(self) -> bytes:
        """Digest of the bytes so far; of all once the iteration has ended."""
        return self._sha256.digest()

    @property
    def edge_bytes(self) -> int:
        """How many bytes the file has without any row."""
        if isinstance(self._format, TextFormat):
            return len(self._format.head) + len(self._format.tail)
        with closing(self._format.start()) as encoder:
            return sum(len(piece.data) for piece in encoder.finish())

    async def aclose(self) -> None:
        """Stop, and let go of what an encoder holds beside memory."""
        await self._pieces.aclose()
        self._thread.close()
        if self._encoder is not None:
            self._encoder.close()

    def interrupt(self, fault: MemferryError) -> None:
        """Make the iteration raise, even while PostgreSQL is still looking for the next row."""
        self._blocks.fail(fault)

    async def __aiter__(self) -> AsyncGenerator[bytes, None]:
        async for piece in self._pieces:
            hashing = run_in_thread_if_large(self._sha256.update, piece.data)
            self.rows_done += piece.rows
            self.bytes_done += len(piece.data)
            self.at_file_end = piece.ends_file
            try:
                yield piece.data
            finally:
                await hashing
        if self.rows_done != self._blocks.rows:
            raise AssertionError(f"{self.rows_done} rows found of {self._blocks.rows} copied")

    def _make_pieces(self) -> AsyncGenerator[Piece, None]:
        if isinstance(self._format, BinaryFormat):
            return read_ahead(self._encode_blocks(self._format))
        return self._frame_blocks(self._format)

    async def _frame_blocks(self, format_: TextFormat) -> AsyncGenerator[Piece, None]:
        """The blocks between the head and the tail of the file.

        Each block is held back until the next one shows that it is not the last: after the last row
        the tail stands in the place of a separator.
        """
        last_separator = b"" if format_.ends_with_separator else format_.separator
        held_back = Piece(0, format_.head)
        async for block in self._blocks:
            if held_back.rows or held_back.data:
                yield held_back
            held_back = Piece(*block)
        if self._on_last_row is not None:
            await self._on_last_row()
        yield Piece(held_back.rows, held_back.data.removesuffix(last_separator) + format_.tail)

    async def _encode_blocks(self, format_: BinaryFormat) -> AsyncGenerator[Piece, None]:
        """The pieces of an encoder, which works in a thread beside the COPY."""
        self._encoder = encoder = await self._thread.run(format_.start)
        async with feed_thread(self._read_blocks(), ahead=_BLOCKS_AHEAD) as blocks:
            pieces = _encode(encoder, blocks)
            while piece := await blocks.wait_for(self._thread.start(next, pieces, None)):
                yield piece

    async def _read_blocks(self) -> AsyncGenerator[bytes, None]:
        """The bytes of all blocks; after the last one the last row is told of."""
        async for block in self._blocks:
            yield block.data
        if self._on_last_row is not None:
            await self._on_last_row()


def _encode(encoder: Encoder, blocks: Iterable[bytes]) -> Iterator[Piece]:
    for block in blocks:
        yield from encoder.encode(block)
    yield from encoder.finish()


@asynccontextmanager
async def open_rows(
    connections: Sequence[Connection],
    request: ExportRequest,
    plan_: Plan,
    on_last_row: Callable[[], Awaitable[None]] | None = None,
) -> AsyncIterator[RowStream]:
    """Start a queued export on connections in one snapshot of the tenant; iterate it for its bytes.

    Only the way RANGES uses more than one connection; those must keep the order of the index.
    Leaving the context early stops the COPY on the server.
    """
    # A lost lease interrupts it, and the server has a limit of its own.
    async with BlockStream(
        len(connections), block_bytes=BLOCK_BYTES, timeout=UNLIMITED_SECONDS
    ) as blocks:
        if plan_.way is Way.RANGES:
            ranges = Ranges(request, plan_, blocks, alone=len(connections) == 1)
            for connection in connections:
                blocks.start(ranges.read, connection)
        else:
            blocks.start(read_statement, connections[0], request, plan_, blocks)
        async with aclosing(RowStream(request.format, blocks, on_last_row)) as rows:
            yield rows


@asynccontextmanager
async def open_inline_rows(
    connection: Connection, request: ExportRequest, probe: Probe
) -> AsyncIterator[RowStream]:
    """Start the export of the rows that a probe has found; iterate it for its bytes.

    Its blocks are small enough to be worked on where they are, without a thread.
    """
    plan_ = plan(request, probe)
    async with BlockStream(block_bytes=FRAME_BYTES) as blocks:
        if plan_.way is Way.READY:
            blocks.start(emit_ready_records, request, probe, blocks)
        else:
            if plan_.way is Way.SPAN:
                await keep_order(connection)
            blocks.start(read_statement, connection, request, plan_, blocks)
        yield RowStream(request.format, blocks)


@asynccontextmanager
async def open_sample(
    connection: Connection, request: ExportRequest, one_in: int
) -> AsyncIterator[RowStream]:
    """Start an export of about one in so many rows, in no order; iterate it for its bytes."""
    plan_ = Plan(way=Way.SAMPLE, one_in=max(one_in, 1))
    async with BlockStream(block_bytes=FRAME_BYTES) as blocks:
        blocks.start(read_statement, connection, request, plan_, blocks)
        async with aclosing(RowStream(request.format, blocks)) as rows:
            yield rows
