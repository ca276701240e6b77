"""The file of a queued export: its bytes, compressed and encrypted if the request says so."""

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol

from memferry.files.compress import Codec, Compressor
from memferry.files.digest import Digest
from memferry.files.encrypt import Encryptor


class ByteStream(Protocol):
    """Bytes that can be read once, and the tally of those already handed out."""

    @property
    def bytes_done(self) -> int:
        """How many bytes were handed out."""

    @property
    def sha256(self) -> bytes:
        """Their digest."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """The bytes, in chunks."""


class PackedFile:
    """Iterated for its bytes; `size_bytes` and `sha256` are those handed out so far.

    Once begun it must be closed, whether it is whole or not.
    """

    def __init__(
        self, stream: ByteStream, codec: Codec | None, recipient: str | None = None
    ) -> None:
        """`recipient` is the public key that the file is encrypted to."""
        self._stream = stream
        self._encryptor = None if recipient is None else Encryptor(recipient)
        # Encrypted bytes do not compress.
        self._steps: list[Compressor] = [] if codec is None else [codec.start()]
        self._steps += [] if self._encryptor is None else [self._encryptor]
        self._digest = Digest()

    @property
    def size_bytes(self) -> int:
        """How many bytes were handed out."""
        return self._digest.size_bytes if self._steps else self._stream.bytes_done

    @property
    def sha256(self) -> bytes:
        """Their digest."""
        return self._digest.sha256 if self._steps else self._stream.sha256

    def close(self) -> None:
        """End the encryptor's thread."""
        if self._encryptor is not None:
            self._encryptor.close()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._pack() if self._steps else aiter(self._stream)

    async def _pack(self) -> AsyncIterator[bytes]:
        """In a thread: codecs, age and the digest let go of the interpreter lock."""
        async for chunk in self._stream:
            if data := await asyncio.to_thread(self._pack_chunk, chunk):
                yield data
        yield await asyncio.to_thread(self._finish)

    def _pack_chunk(self, data: bytes) -> bytes:
        for step in self._steps:
            data = step.compress(data)
        return self._count(data)

    def _finish(self) -> bytes:
        data = b""
        for step in self._steps:
            data = step.compress(data) + step.flush()
        return self._count(data)

    def _count(self, data: bytes) -> bytes:
        self._digest.add(data)
        return data
