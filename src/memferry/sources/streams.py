"""Streams whose bytes are made while they are read."""

import io


class ProducedStream(io.RawIOBase):
    """A stream to read from; what inherits says where its bytes come from."""

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]  # has a length
        """Fill the buffer, or less of it; 0 at the end. Raises what `_produce` raises."""
        data = self._produce(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def _produce(self, size: int) -> bytes | memoryview:
        """The next bytes, at most so many; b"" at the end."""
        raise NotImplementedError
