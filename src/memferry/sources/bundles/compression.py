"""Reading gzip, zstd and deflate as streams, in bounded memory whatever they unpack to."""

import gzip
import io
import zlib
from collections.abc import Callable
from typing import BinaryIO, cast

import zstandard

from memferry.errors import Invalid
from memferry.sources.base import refuse_file
from memferry.sources.streams import ProducedStream

GZIP_MAGIC = b"\x1f\x8b\x08"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
# A skippable frame may come first (RFC 8878, section 3.1.2).
_ZSTD_SKIPPABLE = tuple(bytes([low]) + b"\x2a\x4d\x18" for low in range(0x50, 0x60))
# The window that zstd itself reads without being told to use more memory.
_ZSTD_WINDOW_BYTES = 128 * 1024 * 1024
# A block of zstd takes 4 bytes or more and holds up to 128 KiB, so a piece unpacks to 32 MiB at
# most.
_ZSTD_PIECE_BYTES = 1024
_PIECE_BYTES = 64 * 1024

DAMAGES = (EOFError, gzip.BadGzipFile, zlib.error, zstandard.ZstdError)
"""What the readers here raise for damaged input."""


def find_decompressor(head: bytes) -> Callable[[BinaryIO], BinaryIO] | None:
    """The reader of what begins with these bytes; None if it is not compressed."""
    if head.startswith(GZIP_MAGIC):
        return open_gzip
    if head.startswith((ZSTD_MAGIC, *_ZSTD_SKIPPABLE)):
        return open_zstd
    return None


def open_gzip(packed: BinaryIO) -> BinaryIO:
    """Read gzip: members one after the other, zeros at the end (RFC 1952); closes `packed`."""
    return cast(BinaryIO, io.BufferedReader(_Owner(gzip.GzipFile(fileobj=packed), packed)))


def open_zstd(packed: BinaryIO) -> BinaryIO:
    """Read zstd: frames one after the other (RFC 8878); closes `packed`."""
    return cast(BinaryIO, io.BufferedReader(_Zstd(packed), _PIECE_BYTES))


def open_deflated(packed: BinaryIO) -> BinaryIO:
    """Read raw deflate (RFC 1951), as in zip; closes `packed`."""
    return cast(BinaryIO, io.BufferedReader(_Deflated(packed), _PIECE_BYTES))


class _Reader(ProducedStream):
    """A stream over `_packed`, which it closes."""

    def __init__(self, packed: BinaryIO) -> None:
        self._packed = packed

    def close(self) -> None:
        self._packed.close()
        super().close()


class _Owner(_Reader):
    """A stream over `packed`, which does not close it by itself."""

    def __init__(self, stream: gzip.GzipFile, packed: BinaryIO) -> None:
        super().__init__(packed)
        self._stream = stream

    def _produce(self, size: int) -> bytes:
        return self._stream.read(size)


class _Deflated(_Reader):
    def __init__(self, packed: BinaryIO) -> None:
        super().__init__(packed)
        self._inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        self._input = b""

    def _produce(self, size: int) -> bytes:
        while not self._inflater.eof:
            self._input = self._input or self._packed.read(_PIECE_BYTES)
            if not self._input:
                raise EOFError("it ends too early")
            data = self._inflater.decompress(self._input, size)
            self._input = self._inflater.unconsumed_tail
            if data:
                return data
        return b""


class _Zstd(_Reader):
    """Unlike the library's own stream, it notices an input that was cut off."""

    def __init__(self, packed: BinaryIO) -> None:
        super().__init__(packed)
        self._context = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES)
        self._frame: zstandard.ZstdDecompressionObj | None = None
        self._input = b""
        self._output = memoryview(b"")

    def _produce(self, size: int) -> bytes:
        while not self._output:
            self._input = self._input or self._packed.read(_ZSTD_PIECE_BYTES)
            if not self._input:
                if self._frame is not None:
                    raise EOFError("it ends too early")
                return b""
            self._output = memoryview(self._unpack_input())
        data = bytes(self._output[:size])
        self._output = self._output[size:]
        return data

    def _unpack_input(self) -> bytes:
        if self._frame is None:
            self._frame = self._context.decompressobj()
        data = self._frame.decompress(self._input)
        self._input = b""
        if self._frame.eof:
            self._input, self._frame = self._frame.unused_data, None
        return data


def describe_damage(name: str, damage: Exception) -> Invalid:
    """The error of a member that cannot be unpacked."""
    return refuse_file(name, f"is damaged or cut off: {damage}")
