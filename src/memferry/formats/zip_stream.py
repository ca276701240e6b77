"""Zip archives that are written from front to back, of any number of members and bytes.

APPNOTE 6.3.10 (https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT), with ZIP64 where it is
needed. The same members give the same bytes.
"""

import struct
import sys
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from tempfile import SpooledTemporaryFile
from typing import NamedTuple

from memferry.model.times import count_epoch_ms, make_moment

if sys.platform == "linux":
    from isal import isal_zlib as _deflate
else:  # pragma: no cover - memferry's service runs on Linux
    _deflate = zlib

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_END_64 = struct.Struct("<4sQ2H2I4Q")
_END_64_LOCATOR = struct.Struct("<4sIQI")
_EXTRA_64 = struct.Struct("<2HQ")
_MOST_END_BYTES = _END.size + _END_64.size + _END_64_LOCATOR.size
_UTF_8 = 0x0800
_STORED, _DEFLATED = 0, 8
_PLAIN_VERSION, _ZIP_64_VERSION = 20, 45
_UNIX = 3 << 8
_REGULAR_FILE = 0o100644 << 16
_MOST_16, _MOST_32 = 0xFFFF, 0xFFFFFFFF
_LEVEL = 1
# The first and the last two seconds that MS-DOS can tell.
_FIRST_MS = count_epoch_ms(datetime(1980, 1, 1, tzinfo=UTC))
_LAST_MS = count_epoch_ms(datetime(2107, 12, 31, 23, 59, 58, tzinfo=UTC))
# The directory lies in memory up to this size, then in a file without a name.
_SPOOLED_BYTES = 4 * 1024 * 1024
_PIECE_BYTES = 1024 * 1024


class ZipMember(NamedTuple):
    """A file as it stands in an archive, wherever in it."""

    name: bytes
    data: bytes
    """Its local header and its bytes, compressed."""
    facts: tuple[int, ...]
    """What its entry in the directory says like its header."""


def pack_member(name: str, data: bytes, time_ms: int) -> ZipMember:
    """Compress a file; its time in epoch ms is held within 1980 to 2107."""
    packed, method = _deflate.compress(data, _LEVEL, -zlib.MAX_WBITS), _DEFLATED
    if len(packed) >= len(data):
        packed, method = data, _STORED
    encoded = name.encode()
    facts = (
        *(_UTF_8, method, *_find_dos_time(time_ms)),
        *(zlib.crc32(data), len(packed), len(data), len(encoded)),
    )
    header = _LOCAL.pack(b"PK\x03\x04", _PLAIN_VERSION, *facts, 0)
    return ZipMember(encoded, header + encoded + packed, facts)


class ZipStream:
    """Members in, bytes out; the directory of a million members is about 150 MB on disk."""

    def __init__(self, position: int = 0) -> None:
        """`position` is where in the file the archive begins, in bytes."""
        self._position = position
        self.members = 0
        self._directory = SpooledTemporaryFile(_SPOOLED_BYTES)  # noqa: SIM115 - see close

    def add(self, member: ZipMember) -> bytes:
        """The bytes of one more member."""
        self._note(member)
        self._position += len(member.data)
        return member.data

    def measure_with(self, member: ZipMember) -> int:
        """The most bytes that the archive has if this member is its last one."""
        entry = _CENTRAL.size + len(member.name) + _EXTRA_64.size
        directory = self._directory.tell() + entry
        return self._position + len(member.data) + directory + _MOST_END_BYTES

    def finish(self) -> Iterator[bytes]:
        """The directory, in pieces."""
        start, size = self._position, self._directory.tell()
        self._directory.seek(0)
        while piece := self._directory.read(_PIECE_BYTES):
            yield piece
        yield _end_directory(self.members, start, size)

    def close(self) -> None:
        """Remove the directory from disk."""
        self._directory.close()

    def _note(self, member: ZipMember) -> None:
        """Write the member's entry in the directory."""
        offset, extra, version = self._position, b"", _PLAIN_VERSION
        if offset >= _MOST_32:
            extra, offset, version = _EXTRA_64.pack(1, 8, offset), _MOST_32, _ZIP_64_VERSION
        entry = _CENTRAL.pack(
            *(b"PK\x01\x02", _UNIX | version, version, *member.facts, len(extra)),
            *(0, 0, 0, _REGULAR_FILE, offset),
        )
        self._directory.write(entry + member.name + extra)
        self.members += 1


def _end_directory(members: int, start: int, size: int) -> bytes:
    end = b""
    if members >= _MOST_16 or start >= _MOST_32 or size >= _MOST_32:
        end = _END_64.pack(
            *(b"PK\x06\x06", _END_64.size - 12, _UNIX | _ZIP_64_VERSION, _ZIP_64_VERSION),
            *(0, 0, members, members, size, start),
        )
        end += _END_64_LOCATOR.pack(b"PK\x06\x07", 0, start + size, 1)
    shown = min(members, _MOST_16)
    sizes = (min(size, _MOST_32), min(start, _MOST_32))
    return end + _END.pack(b"PK\x05\x06", 0, 0, shown, shown, *sizes, 0)


def _find_dos_time(time_ms: int) -> tuple[int, int]:
    time = make_moment(min(max(time_ms, _FIRST_MS), _LAST_MS))
    return (
        time.hour << 11 | time.minute << 5 | time.second // 2,
        (time.year - 1980) << 9 | time.month << 5 | time.day,
    )
