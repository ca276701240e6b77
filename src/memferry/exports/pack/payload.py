"""The payload of a small export: compressed for the database, and as JSON text for the answer."""

import codecs

import msgspec
import zstandard

from memferry.files.threads import run_in_thread_if_large

# The fastest level, with the small tables of short texts: it keeps up with the COPY, and the less
# is written the sooner it is durable.
_PARAMETERS = zstandard.ZstdCompressionParameters.from_level(1, source_size=256 * 1024)


class Payload:
    """Takes the pieces of an export while they come, so that the last one finds the rest done."""

    def __init__(self) -> None:
        self._compressor = zstandard.ZstdCompressor(compression_params=_PARAMETERS).compressobj()
        self._compressed: list[bytes] = []
        self._escaped: list[bytes] = []

    async def add(self, piece: bytes) -> None:
        """The next piece, which ends where a record ends: no character is cut in two."""
        compressing = run_in_thread_if_large(self._compressor.compress, piece)
        self._escaped.append(msgspec.json.encode(piece.decode())[1:-1])
        self._compressed.append(await compressing)

    def finish(self) -> bytes:
        """All of it, as the database keeps it: one zstd frame (RFC 8878)."""
        return b"".join([*self._compressed, self._compressor.flush()])

    def render_json(self) -> list[bytes]:
        """All of it as one JSON string, in pieces."""
        return [b'"', *self._escaped, b'"']


def read_stored(stored: bytes) -> list[bytes]:
    """A kept payload as `Payload.render_json`."""
    pieces = zstandard.ZstdDecompressor().read_to_iter(stored)
    texts = codecs.iterdecode(pieces, "utf-8")
    return [b'"', *(msgspec.json.encode(text)[1:-1] for text in texts), b'"']


def unpack_stored(stored: bytes) -> bytes:
    """A kept payload as the bytes of its file."""
    return b"".join(zstandard.ZstdDecompressor().read_to_iter(stored))
