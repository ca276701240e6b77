"""The members of a bundle: files on disk, and what is unpacked to disk when it is opened."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from memferry.sources.base import Member, refuse_file
from memferry.sources.bundles.compression import DAMAGES, describe_damage
from memferry.sources.bundles.limits import UnpackedBytes

_CHUNK_BYTES = 1024 * 1024


class StreamedMember(Member, Protocol):
    """A member that can also be read from its beginning without unpacking it to disk."""

    @property
    def size(self) -> int:
        """The bytes that it takes in the input, packed as they are."""

    @property
    def is_readable(self) -> bool:
        """Whether it can be opened at all."""

    def stream(self) -> BinaryIO:
        """Its bytes, one after the other; the caller closes it."""


class FileMember:
    """A file on disk, as it is."""

    is_readable = True

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self._path = path

    @property
    def size(self) -> int:
        """Its bytes."""
        return self._path.stat().st_size

    def open(self) -> BinaryIO:
        """The file."""
        return self._path.open("rb")

    def stream(self) -> BinaryIO:
        """The file."""
        return self.open()

    def peek(self, size: int) -> bytes:
        """Its first bytes."""
        with self.open() as file:
            return file.read(size)


class PackedMember:
    """A member that is unpacked into a nameless temporary file each time it is opened.

    The file is gone when it is closed, and when the process dies.
    """

    is_readable = True

    def __init__(
        self,
        name: str,
        size: int,
        stream: Callable[[], BinaryIO],
        *,
        directory: Path,
        unpacked_bytes: UnpackedBytes,
    ) -> None:
        self.name = name
        self.size = size
        self.stream = stream
        self._directory = directory
        self._unpacked_bytes = unpacked_bytes
        self._known_bytes = 0

    def open(self) -> BinaryIO:
        """Unpack it; raises Invalid for what is damaged, or larger than the limits allow."""
        with ExitStack() as stack:
            file = stack.enter_context(tempfile.TemporaryFile(dir=self._directory))
            with _translate_damage(self.name), self.stream() as packed:
                self._copy(packed, cast(BinaryIO, file))
            file.seek(0)
            stack.pop_all()
            return cast(BinaryIO, file)

    def peek(self, size: int) -> bytes:
        """Its first bytes, unpacked."""
        with _translate_damage(self.name), self.stream() as stream:
            return stream.read(size)

    def _copy(self, stream: BinaryIO, file: BinaryIO) -> None:
        unpacked = 0
        while chunk := stream.read(_CHUNK_BYTES):
            unpacked += len(chunk)
            self._unpacked_bytes.check_member(self.name, unpacked, self.size)
            # What was counted when it was opened before is not counted again.
            self._unpacked_bytes.add(max(0, unpacked - self._known_bytes))
            self._known_bytes = max(self._known_bytes, unpacked)
            file.write(chunk)


class UnreadableMember:
    """A member that cannot be opened; that matters only to who wants to read it."""

    size = 0
    is_readable = False

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        self._reason = reason

    def open(self) -> BinaryIO:
        """Raise Invalid that says why."""
        raise refuse_file(self.name, self._reason)

    def stream(self) -> BinaryIO:
        """Raise Invalid that says why."""
        return self.open()

    def peek(self, _: int) -> bytes:
        """Raise Invalid that says why."""
        return self.open().read()


@contextmanager
def _translate_damage(name: str) -> Iterator[None]:
    try:
        yield
    except DAMAGES as damage:
        raise describe_damage(name, damage) from damage
