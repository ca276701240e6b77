"""The file of a queued export: the bytes of its run, compressed and encrypted if asked for."""

import asyncio
import hashlib
from collections.abc import AsyncIterator

from memferry.exports.run import ExportRun
from memferry.files.compress import Codec, Compressor
from memferry.files.encrypt import Encryptor


class File:
    """Iterated for its bytes; `size_bytes` and `sha256` are those handed out so far.

    Once begun it must be closed, whether it is whole or not.
    """

    def __init__(self, run: ExportRun, codec: Codec | None, recipient: str | None = None) -> None:
        self._run = run
        self._encryptor = None if recipient is None else Encryptor(recipient)
        # Encrypted bytes do not compress.
        self._steps: list[Compressor] = [] if codec is None else [codec.start()]
        self._steps += [] if self._encryptor is None else [self._encryptor]
        self._packed = hashlib.sha256()
        self._packed_bytes = 0

    @property
    def size_bytes(self) -> int:
        """How many bytes were handed out."""
        return self._packed_bytes if self._steps else self._run.bytes_done

    @property
    def sha256(self) -> bytes:
        """Their digest."""
        return self._packed.digest() if self._steps else self._run.sha256

    def close(self) -> None:
        """Let go of what packs it."""
        if self._encryptor is not None:
            self._encryptor.close()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._pack() if self._steps else aiter(self._run)

    async def _pack(self) -> AsyncIterator[bytes]:
        """In a thread: codecs, age and the digest let go of the interpreter lock."""
        async for chunk in self._run:
            if data := await asyncio.to_thread(self._passed, chunk):
                yield data
        yield await asyncio.to_thread(self._ended)

    def _passed(self, data: bytes) -> bytes:
        for step in self._steps:
            data = step.compress(data)
        return self._noted(data)

    def _ended(self) -> bytes:
        data = b""
        for step in self._steps:
            data = step.compress(data) + step.flush()
        return self._noted(data)

    def _noted(self, data: bytes) -> bytes:
        self._packed.update(data)
        self._packed_bytes += len(data)
        return data
