"""Files on this machine: private, renamed only when whole, hashed while written."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Literal

from memferry.errors import Invalid
from memferry.files.compress import Decompressor

_CHUNK_BYTES = 1024 * 1024


@contextmanager
def replace_when_whole(
    target: Path, partial: Path, mode: Literal["wb", "a+b"]
) -> Iterator[BinaryIO]:
    """Write to the private file `partial`, which becomes `target` when the block has succeeded.

    After an error `partial` stays, and `target` is what it was. Raises Invalid, which names
    `output`, if one of them cannot be written.
    """
    try:
        with open(partial, mode, opener=_open_private) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
    except OSError as fault:
        raise Invalid("output", f"cannot write {target}: {fault.strerror}") from fault


def _open_private(path: str, flags: int) -> int:
    """Open a file that only its owner can read."""
    return os.open(path, flags, 0o600)


class HashedFile:
    """A file with the size in bytes and the SHA-256 of its content, decompressed by `reader`."""

    def __init__(self, file: BinaryIO, reader: Decompressor | None = None) -> None:
        self._file = file
        self._reader = reader
        self._digest = hashlib.sha256()
        self.size_bytes = 0
        self.fault: OSError | None = None

    @property
    def sha256(self) -> str:
        """The digest so far, in hex."""
        return self._digest.hexdigest()

    def write(self, data: bytes) -> int:
        """Append bytes; an OSError is also kept as `fault`, for callers that lose it."""
        try:
            self._file.write(data)
        except OSError as fault:
            self.fault = fault
            raise
        self._count(data)
        return len(data)

    def flush(self) -> None:
        """Flush all bytes to the file."""
        self._file.flush()

    def sync(self) -> None:
        """Bring all bytes to the disk."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def read_back(self) -> None:
        """Count and hash the bytes that the file holds already."""
        self._file.seek(0)
        while chunk := self._file.read(_CHUNK_BYTES):
            self._count(chunk)

    def _count(self, data: bytes) -> None:
        content = data if self._reader is None else self._reader.decompress(data)
        self._digest.update(content)
        self.size_bytes += len(content)
