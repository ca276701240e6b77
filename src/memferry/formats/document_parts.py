"""Documents in parts: each has the head, the tail, and the headings of its first record."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from memferry.formats.base import BinaryFormat, Encoder, Piece, TextFormat

# A byte that no UTF-8 has (RFC 3629, section 1) stands after each record on its way.
_END = b"\xff"
# What closes the sections of the last record.
_MOST_CLOSING_BYTES = 64


class Outline(Protocol):
    """Where in a document its records stand: below which headings, within which sections."""

    def reopen(self, record: bytes) -> bytes:
        """What must stand before this next record if a document begins with it."""

    def enter(self, record: bytes) -> None:
        """Note the headings of a record, the next one of the document."""

    def close(self) -> bytes:
        """What must stand behind the records so far if the document ends with them."""


@dataclass(frozen=True)
class DocumentCut:
    """Makes of the format of a document the one whose encoder cuts it."""

    whole: TextFormat
    start_outline: Callable[[], Outline]

    def __call__(self, most_bytes: int) -> BinaryFormat:
        """No document has more than `most_bytes`, unless it has a single record."""
        whole = self.whole

        def start() -> Encoder:
            return DocumentEncoder(whole, self.start_outline(), most_bytes)

        return BinaryFormat(
            name=whole.name,
            extension=whole.extension,
            media_type=whole.media_type,
            rows=replace(whole, separator=_END),
            order=whole.order,
            start=start,
            cut=self,
            leaves_out=whole.leaves_out,
        )


class DocumentEncoder:
    """Puts the records together; one after which a document would be too large begins a next."""

    def __init__(self, whole: TextFormat, outline: Outline, most_bytes: int) -> None:
        self._format = whole
        self._outline = outline
        # The last record has the tail in the place of its separator.
        self._last_separator = b"" if whole.ends_with_separator else whole.separator
        edges = len(whole.separator) * 2 + _MOST_CLOSING_BYTES + len(whole.tail)
        self._room = most_bytes - edges
        self._size = 0

    def encode(self, records: bytes) -> Iterator[Piece]:
        """The records, each with a separator before it, and the ends of documents."""
        pieces: list[bytes] = []
        for record in records.split(_END)[:-1]:
            if self._size and self._size + len(record) > self._room:
                yield Piece(len(pieces), b"".join(pieces))
                yield Piece(0, self._end(), ends_file=True)
                pieces, self._size = [], 0
            piece = self._begin(record) + record
            self._outline.enter(record)
            self._size += len(piece)
            pieces.append(piece)
        yield Piece(len(pieces), b"".join(pieces))

    def finish(self) -> Iterator[Piece]:
        """The end of the last document; without any record the head ends it."""
        if self._size:
            yield Piece(0, self._end())
        else:
            yield Piece(0, self._format.head.removesuffix(self._last_separator) + self._format.tail)

    def close(self) -> None:
        """It holds nothing beside memory."""

    def _begin(self, record: bytes) -> bytes:
        """What stands before a record."""
        if self._size:
            return self._format.separator
        return self._format.head + self._outline.reopen(record)

    def _end(self) -> bytes:
        separator = self._format.separator if self._format.ends_with_separator else b""
        return self._outline.close() + separator + self._format.tail
