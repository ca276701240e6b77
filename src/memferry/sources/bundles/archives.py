"""What all kinds of archives have in common: entries, and sections of a file."""

import io
import os
from typing import BinaryIO, Protocol, cast

from memferry.sources.streams import ProducedStream

_BUFFER_BYTES = 64 * 1024


class ArchiveEntry(Protocol):
    """One file of an archive, as its head or its directory describes it."""

    @property
    def name(self) -> str:
        """Its path as it stands there, a mere label: nothing is ever written under it."""

    @property
    def packed_bytes(self) -> int:
        """The bytes that it takes in the archive."""

    @property
    def is_directory(self) -> bool:
        """Whether it is a mere folder."""

    @property
    def is_link(self) -> bool:
        """Whether it points elsewhere, or is no file of bytes for another reason."""

    @property
    def fault(self) -> str | None:
        """Why it cannot be opened; None: it can."""

    def open(self, file: BinaryIO) -> BinaryIO:
        """Its bytes; raises EOFError where they are not what the archive says of them."""


class Section(ProducedStream):
    """Some bytes of a file, read without moving its position: several may be open at once."""

    def __init__(self, file: BinaryIO, start: int, size: int) -> None:
        self._file = file
        self._at = start
        self._end = start + size

    def _produce(self, size: int) -> bytes:
        size = min(size, self._end - self._at)
        data = os.pread(self._file.fileno(), size, self._at)
        if size and not data:
            raise EOFError("the archive was cut off")
        self._at += len(data)
        return data


def open_section(file: BinaryIO, start: int, size: int) -> BinaryIO:
    """Some bytes of a file as a file of its own."""
    return cast(BinaryIO, io.BufferedReader(Section(file, start, size), _BUFFER_BYTES))


def decode_name(name: bytes) -> str:
    """A name as a label. Some tools forget to say that it is UTF-8."""
    try:
        text = name.decode()
    except UnicodeDecodeError:
        text = name.decode("cp437")
    return text.replace("\\", "/").replace("\x00", "")
