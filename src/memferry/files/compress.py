"""How the file of an export may be compressed; the same bytes always give the same file."""

import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import zstandard

# Fast codecs: a slower one would hold back the rows. isal has the ratio of zlib's level 1 at
# several times its speed; where it has no wheel, zlib writes the same format (RFC 1952).
if sys.platform == "linux":
    from isal import isal_zlib as _gzip
else:  # pragma: no cover - memferry's service runs on Linux
    _gzip = zlib
_GZIP_LEVEL = 1
_GZIP_WINDOW = 16 + zlib.MAX_WBITS
# A window of 256 KiB stays in the processor's cache: less time for the same size.
_ZSTD = zstandard.ZstdCompressionParameters.from_level(1, window_log=18)


class Compressor(Protocol):
    """Takes bytes in any pieces; `flush` ends the file."""

    def compress(self, data: bytes, /) -> bytes:
        """What can be handed on by now."""

    def flush(self) -> bytes:
        """The rest."""


class Decompressor(Protocol):
    """Takes a compressed file in any pieces."""

    def decompress(self, data: bytes, /) -> bytes:
        """What they stand for."""


@dataclass(frozen=True)
class Codec:
    """One way to compress a whole file."""

    name: str
    extension: str
    media_type: str
    start: Callable[[], Compressor]
    reader: Callable[[], Decompressor]


CODECS: dict[str, Codec] = {
    codec.name: codec
    for codec in (
        # RFC 1952; no time and no name stand in its header.
        Codec(
            "gzip",
            "gz",
            "application/gzip",
            lambda: _gzip.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP_WINDOW),
            lambda: zlib.decompressobj(_GZIP_WINDOW),
        ),
        # RFC 8878, one frame.
        Codec(
            "zstd",
            "zst",
            "application/zstd",
            lambda: zstandard.ZstdCompressor(compression_params=_ZSTD).compressobj(),
            lambda: zstandard.ZstdDecompressor().decompressobj(),
        ),
    )
}
