"""Reading zip archives (PKWARE APPNOTE 6.3.10) of any tool, in memory that their author cannot set.

The standard library reads the whole directory at once, trusts its length and keeps an object of a
kilobyte per entry. Here entries are counted while they are read.
"""

import io
import os
import stat
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from struct import Struct, error
from typing import BinaryIO, cast

from memferry.errors import Invalid
from memferry.sources.base import refuse_file
from memferry.sources.bundles.archives import Section, decode_name, open_section
from memferry.sources.bundles.compression import open_deflated
from memferry.sources.streams import ProducedStream

ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06")

_END = Struct("<4s4H2LH")
_END_64 = Struct("<4sQ2H2L4Q")
_LOCATOR_64 = Struct("<4sLQL")
_ENTRY = Struct("<4s6H3L5H2L")
_LOCAL = Struct("<4s5H3L2H")
_EXTRA = Struct("<2H")
_MOST_COMMENT_BYTES = 0xFFFF
_IS_ELSEWHERE = 0xFFFFFFFF
_ENCRYPTED = 0x1
_UNIX = 3
# The compression methods that are read (section 4.4.5).
_STORED, _DEFLATED = 0, 8


@dataclass(frozen=True, slots=True)
class ZipEntry:
    """One file of an archive, as its directory describes it; sizes in bytes."""

    name: str
    offset: int
    packed_bytes: int
    unpacked_bytes: int
    crc: int
    method: int
    is_encrypted: bool
    is_link: bool

    @property
    def is_directory(self) -> bool:
        """Whether it is a mere folder."""
        return self.name.endswith("/")

    @property
    def fault(self) -> str | None:
        """Why it cannot be opened; None: it can."""
        if self.is_encrypted:
            return "is encrypted: unpack the archive with its password"
        if self.method not in {_STORED, _DEFLATED}:
            return f"is compressed by method {self.method}: only stored and deflated are read"
        return None

    def open(self, file: BinaryIO) -> BinaryIO:
        """Its bytes; raises EOFError where they are not what the directory says."""
        head = os.pread(file.fileno(), _LOCAL.size, self.offset)
        if len(head) < _LOCAL.size or not head.startswith(b"PK\x03\x04"):
            raise EOFError("nothing stands where the directory of the archive points")
        name_bytes, extra_bytes = _LOCAL.unpack(head)[-2:]
        start = self.offset + _LOCAL.size + name_bytes + extra_bytes
        packed = open_section(file, start, self.packed_bytes)
        unpacked = open_deflated(packed) if self.method == _DEFLATED else packed
        return cast(BinaryIO, io.BufferedReader(_CheckedEntry(unpacked, self)))


def list_entries(file: BinaryIO, most: int) -> list[ZipEntry]:
    """The entries of the archive in the order of its directory; raises Invalid above `most`."""
    try:
        start, size, shift = _find_directory(file)
        entries = list(_read_directory(Section(file, start, size), shift, most))
    except (error, EOFError) as fault:
        raise Invalid("file", f"the directory of the zip archive is damaged: {fault}") from fault
    _check_places(entries, file.seek(0, os.SEEK_END))
    return entries


def _find_directory(file: BinaryIO) -> tuple[int, int, int]:
    """Where the directory starts, its bytes, and by how much all offsets are too small.

    Programs put something before an archive, such as one that unpacks itself.
    """
    size = file.seek(0, os.SEEK_END)
    tail_start = max(0, size - _END.size - _MOST_COMMENT_BYTES)
    tail = os.pread(file.fileno(), size - tail_start, tail_start)
    at = tail.rfind(b"PK\x05\x06", 0, len(tail) - _END.size + 4)
    if at < 0:
        raise EOFError("its end is missing, so the file was cut off")
    *_, directory_bytes, offset, _ = _END.unpack_from(tail, at)
    end = tail_start + at
    if locator_64 := _find_end_64(file, end):
        end, directory_bytes, offset = locator_64
    start = end - directory_bytes
    if start < offset:
        raise EOFError("it is longer than the file")
    return start, directory_bytes, start - offset


def _find_end_64(file: BinaryIO, end: int) -> tuple[int, int, int] | None:
    """Where the ZIP64 end is, with bytes and offset of the directory; None: there is none."""
    at = end - _LOCATOR_64.size
    locator = os.pread(file.fileno(), _LOCATOR_64.size, max(0, at))
    if at < 0 or not locator.startswith(b"PK\x06\x07"):
        return None
    end_64 = at - _END_64.size
    record = os.pread(file.fileno(), _END_64.size, max(0, end_64))
    if end_64 < 0 or not record.startswith(b"PK\x06\x06"):
        raise EOFError("its ZIP64 end is not where it should be")
    *_, directory_bytes, offset = _END_64.unpack(record)
    return end_64, directory_bytes, offset


def _read_directory(directory: io.RawIOBase, shift: int, most: int) -> Iterator[ZipEntry]:
    reader = cast(BinaryIO, io.BufferedReader(directory, 64 * 1024))
    count = 0
    while head := reader.read(_ENTRY.size):
        count += 1
        if count > most:
            raise Invalid("file", f"the archive holds more than {most} files")
        if not head.startswith(b"PK\x01\x02"):
            raise EOFError(f"entry {count} is none")
        yield _read_entry(_ENTRY.unpack(head), reader, shift)


def _read_entry(fields: tuple[int, ...], reader: BinaryIO, shift: int) -> ZipEntry:
    _, made_by, _, flags, method, _, _, crc, packed, unpacked, *rest = fields
    name_bytes, extra_bytes, comment_bytes, _, _, attributes, offset = rest
    rest_bytes = name_bytes + extra_bytes + comment_bytes
    text = reader.read(rest_bytes)
    if len(text) < rest_bytes:
        raise EOFError("its last entry is cut off")
    name, extra = text[:name_bytes], text[name_bytes : name_bytes + extra_bytes]
    unpacked, packed, offset = _widen(extra, (unpacked, packed, offset))
    return ZipEntry(
        name=decode_name(name),
        offset=offset + shift,
        packed_bytes=packed,
        unpacked_bytes=unpacked,
        crc=crc,
        method=method,
        is_encrypted=bool(flags & _ENCRYPTED),
        is_link=made_by >> 8 == _UNIX and stat.S_ISLNK(attributes >> 16),
    )


def _widen(extra: bytes, numbers: Sequence[int]) -> Iterator[int]:
    """The numbers, those that have no room in 32 bits from the ZIP64 field (section 4.5.3)."""
    wide = b""
    at = 0
    while at + _EXTRA.size <= len(extra):
        kind, size = _EXTRA.unpack_from(extra, at)
        at += _EXTRA.size
        if kind == 1:
            wide = extra[at : at + size]
        at += size
    for number in numbers:
        if number == _IS_ELSEWHERE and wide:
            yield int.from_bytes(wide[:8], "little")
            wide = wide[8:]
        else:
            yield number


def _check_places(entries: list[ZipEntry], size: int) -> None:
    """Raise Invalid if files share bytes, which only a bomb does, or lie outside of the archive."""
    end = 0
    for entry in sorted(entries, key=lambda entry: entry.offset):
        if entry.offset < end:
            raise refuse_file(entry.name, "overlaps another file of the archive")
        end = entry.offset + _LOCAL.size + entry.packed_bytes
    if end > size:
        raise Invalid("file", "the zip archive is damaged: a file in it lies behind its end")


class _CheckedEntry(ProducedStream):
    """The bytes of an entry, held to the size and the checksum in the directory."""

    def __init__(self, unpacked: BinaryIO, entry: ZipEntry) -> None:
        self._unpacked = unpacked
        self._entry = entry
        self._left = entry.unpacked_bytes
        self._crc = 0

    def close(self) -> None:
        self._unpacked.close()
        super().close()

    def _produce(self, size: int) -> bytes:
        data = self._unpacked.read(size)
        self._left -= len(data)
        self._crc = zlib.crc32(data, self._crc)
        if self._left < 0 or (not data and (self._left or self._crc != self._entry.crc)):
            raise EOFError("it is not what the directory of the archive says")
        return data
