"""The comparison of two streams of bytes, chunk by chunk, however each is cut."""

from collections.abc import Iterator


class Comparison:
    """Compares bytes as they come with those of an iterator."""

    def __init__(self, expected: Iterator[bytes]) -> None:
        self._expected = expected
        self._rest = b""
        self._offset = 0
        self._line = 1
        self.difference: str | None = None
        """Where the first difference is, in words; None: there is none so far."""

    def feed(self, data: bytes) -> None:
        """Compare the next bytes."""
        while data and self.difference is None:
            if not self._rest:
                self._rest = next(self._expected, b"")
                if not self._rest:
                    self._note(0, "the file has no more bytes")
                    return
            size = min(len(data), len(self._rest))
            self._compare(data[:size], self._rest[:size])
            data, self._rest = data[size:], self._rest[size:]

    def finish(self) -> str | None:
        """The first difference, if there is any; the bytes must be at their end too."""
        while self.difference is None and not self._rest:
            self._rest = next(self._expected, b"")
            if not self._rest:
                return None
        if self.difference is None:
            self._note(0, "the file has more bytes")
        return self.difference

    def _compare(self, data: bytes, expected: bytes) -> None:
        if data != expected:
            at = next(
                index
                for index, pair in enumerate(zip(data, expected, strict=True))
                if pair[0] != pair[1]
            )
            self._line += expected[:at].count(b"\n")
            self._note(at, "the bytes differ")
            return
        self._offset += len(data)
        self._line += data.count(b"\n")

    def _note(self, at: int, what: str) -> None:
        self.difference = f"{what} at byte {self._offset + at:,} (line {self._line:,})"
