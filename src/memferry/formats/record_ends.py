"""Where records end in the bytes of a text format: there a file can be cut in two."""

from dataclasses import dataclass
from typing import Protocol


class RecordEnds(Protocol):
    """Finds ends in whole records, each with the separator of its format behind it."""

    def find_last(self, data: bytes, limit: int) -> int:
        """The last end at or before `limit`; 0 if there is none."""

    def find_first(self, data: bytes) -> int:
        """The end of the first record."""

    def count(self, data: bytes) -> int:
        """How many records these are."""


@dataclass(frozen=True)
class LineEnds:
    """LF stands at the end of each record and nowhere else, as in JSON (RFC 8259, section 7)."""

    def find_last(self, data: bytes, limit: int) -> int:
        """The last end at or before `limit`; 0 if there is none."""
        return data.rfind(b"\n", 0, max(limit, 0)) + 1

    def find_first(self, data: bytes) -> int:
        """The end of the first record."""
        return data.index(b"\n") + 1

    def count(self, data: bytes) -> int:
        """How many records these are."""
        return data.count(b"\n")


@dataclass(frozen=True)
class CellEnds:
    """CRLF outside of quotes ends a record (RFC 4180); within a cell quotes come in pairs."""

    def find_last(self, data: bytes, limit: int) -> int:
        """The last end at or before `limit`; 0 if there is none."""
        at = data.rfind(b"\r\n", 0, max(limit, 0))
        quotes = data.count(b'"', 0, max(at, 0))
        while at >= 0 and quotes % 2:
            # All ends of lines back to the opening quote stand in the same cell.
            quote = data.rfind(b'"', 0, at)
            at = data.rfind(b"\r\n", 0, quote)
            quotes -= data.count(b'"', max(at, 0), quote + 1)
        return at + 2 if at >= 0 else 0

    def find_first(self, data: bytes) -> int:
        """The end of the first record."""
        at, quotes = data.index(b"\r\n"), 0
        start = 0
        while (quotes := quotes + data.count(b'"', start, at)) % 2:
            start, at = at, data.index(b"\r\n", data.index(b'"', at))
        return at + 2

    def count(self, data: bytes) -> int:
        """How many records these are."""
        return sum(piece.count(b"\r\n") for piece in data.split(b'"')[::2])


@dataclass(frozen=True)
class EntryEnds:
    """A bracket at the beginning of a line begins a record and stands there nowhere else.

    So it is where all further lines of a record begin with blanks.
    """

    def find_last(self, data: bytes, limit: int) -> int:
        """The last end at or before `limit`; 0 if there is none."""
        return data.rfind(b"\n[", 0, max(limit + 1, 0)) + 1

    def find_first(self, data: bytes) -> int:
        """The end of the first record."""
        return data.find(b"\n[") + 1 or len(data)

    def count(self, data: bytes) -> int:
        """How many records these are."""
        return data.count(b"\n[") + data.startswith(b"[")
