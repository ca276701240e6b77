"""Counting the rows of a file by its bytes, for formats whose records have certain ends."""

from typing import Protocol


class RowCounter(Protocol):
    """Takes the bytes of a file in any pieces."""

    def add(self, data: bytes) -> None:
        """The next bytes."""

    @property
    def rows(self) -> int:
        """The rows of all bytes so far, taken for the whole file."""


class LineCounter:
    """NDJSON: each row ends with LF, and holds none (RFC 8259, section 7)."""

    def __init__(self) -> None:
        self.rows = 0

    def add(self, data: bytes) -> None:
        """The next bytes."""
        self.rows += data.count(b"\n")


class ArrayCounter:
    """JSON: LF stands between two rows, and nowhere else; an array without rows is `[]`."""

    def __init__(self) -> None:
        self._lines = 0
        self._bytes = 0

    def add(self, data: bytes) -> None:
        """The next bytes."""
        self._lines += data.count(b"\n")
        self._bytes += len(data)

    @property
    def rows(self) -> int:
        """One more than there are ends of lines."""
        return self._lines + 1 if self._bytes > len(b"[]") else 0


class CellCounter:
    """CSV: CRLF outside of quotes stands behind the header and between two rows (RFC 4180)."""

    def __init__(self) -> None:
        self.rows = 0
        self._quoted = False
        self._after_cr = False

    def add(self, data: bytes) -> None:
        """The next bytes."""
        # A doubled quote within a cell ends it and begins it again: nothing is between the two.
        for number, piece in enumerate(data.split(b'"')):
            if number:
                self._quoted, self._after_cr = not self._quoted, False
            if not self._quoted:
                self.rows += piece.count(b"\r\n") + (self._after_cr and piece.startswith(b"\n"))
                self._after_cr = piece.endswith(b"\r") or (self._after_cr and not piece)


ROW_COUNTERS: dict[str, type[LineCounter | ArrayCounter | CellCounter]] = {
    "ndjson": LineCounter,
    "json": ArrayCounter,
    "csv": CellCounter,
}
"""By the name of a format."""
