"""The file of a queued export: the bytes of its run, compressed if that was asked for."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable

from memferry.exports.compress import Codec
from memferry.exports.run import ExportRun
from memferry.formats import TextFormat


class File:
    """Iterated for its bytes; `size_bytes` and `sha256` are those handed out so far."""

    def __init__(self, run: ExportRun, codec: Codec | None) -> None:
        self._run = run
        self._codec = codec
        self._compressed = hashlib.sha256()
        self._compressed_bytes = 0

    @property
    def size_bytes(self) -> int:
        """How many bytes were handed out."""
        return self._run.bytes_done if self._codec is None else self._compressed_bytes

    @property
    def sha256(self) -> bytes:
        """Their digest."""
        return self._run.sha256 if self._codec is None else self._compressed.digest()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._run) if self._codec is None else self._compress(self._codec)

    async def _compress(self, codec: Codec) -> AsyncIterator[bytes]:
        """In a thread: both codecs and the digest let go of the interpreter lock."""
        compressor = codec.start()
        async for chunk in self._run:
            if data := await asyncio.to_thread(self._noted, compressor.compress, chunk):
                yield data
        yield await asyncio.to_thread(self._noted, compressor.flush)

    def _noted(self, work: Callable[..., bytes], *args: bytes) -> bytes:
        data = work(*args)
        self._compressed.update(data)
        self._compressed_bytes += len(data)
        return data


def file_name(export_id: str, file_format: type[TextFormat], codec: Codec | None) -> str:
    """The name a downloaded file gets."""
    name = f"memferry-{export_id}.{file_format.extension}"
    return name if codec is None else f"{name}.{codec.extension}"


def media_type(file_format: type[TextFormat], codec: Codec | None) -> str:
    """What the file is; a compressed one is an archive of its own, not a transfer encoding."""
    return file_format.media_type if codec is None else codec.media_type
