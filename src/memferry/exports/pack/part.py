"""One part of an export: a whole file of its format."""

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Protocol

from memferry.files.digest import Digest
from memferry.files.threads import run_in_thread_if_large
from memferry.formats import Piece


class PartStream:
    """Iterated for the bytes of one part; counts those already handed out."""

    def __init__(self, pieces: AsyncIterator[Piece]) -> None:
        self._pieces = pieces
        self._digest = Digest()
        self.rows_done = 0

    @property
    def bytes_done(self) -> int:
        """How many bytes were handed out."""
        return self._digest.size_bytes

    @property
    def sha256(self) -> bytes:
        """Their digest."""
        return self._digest.sha256

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._pieces:
            self.rows_done += piece.rows
            await run_in_thread_if_large(self._digest.add, piece.data)
            if piece.data:
                yield piece.data


class Parts(Protocol):
    """Hands out an export part by part; of one part at a time."""

    @property
    def is_done(self) -> bool:
        """Whether the last part has been iterated to its end."""

    def start_part(self) -> PartStream:
        """The next part; the one before must have been iterated to its end."""

    async def aclose(self) -> None:
        """Stop reading."""


class EncodedRows(Protocol):
    """The rows of an export as an encoder wrote them, which ends its files itself."""

    @property
    def rows_done(self) -> int:
        """How many rows were handed out."""

    @property
    def at_file_end(self) -> bool:
        """Whether the bytes handed out so far end a file, and those of a next one follow."""

    def __aiter__(self) -> AsyncGenerator[bytes, None]:  # noqa: PYI058 - it is closed early
        """The bytes, in chunks."""


class EncodedParts:
    """The files of an encoder, as parts."""

    def __init__(self, rows: EncodedRows) -> None:
        self._rows = rows
        self._chunks = aiter(rows)
        self.is_done = False

    def start_part(self) -> PartStream:
        """The next part; the one before must have been iterated to its end."""
        return PartStream(self._read_part())

    async def aclose(self) -> None:
        """Stop reading."""
        await self._chunks.aclose()

    async def _read_part(self) -> AsyncIterator[Piece]:
        rows_before = self._rows.rows_done
        async for data in self._chunks:
            yield Piece(self._rows.rows_done - rows_before, data)
            rows_before = self._rows.rows_done
            if self._rows.at_file_end:
                return
        self.is_done = True
