"""Reading tar archives (POSIX pax and ustar, GNU names), one head at a time, in bounded memory."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from memferry.errors import Invalid
from memferry.sources.bundles.archives import decode_name, open_section

_BLOCK = 512
_MAGIC_AT, _MAGIC = 257, b"ustar"
_CHECKSUM = slice(148, 156)
_FILES = (b"0", b"\x00", b"7")
_DIRECTORY, _LONG_NAME, _PAX, _PAX_OF_ALL, _LONG_LINK = b"5", b"L", b"x", b"g", b"K"
_BINARY = 0x80
_MOST_NAME_BYTES = 64 * 1024
# A name and its pax records; more of them only fill the memory.
_MOST_EXTRA_BYTES = 4 * _MOST_NAME_BYTES
_OCTAL = re.compile(rb"[0-7]*")
_PAX_PATH = re.compile(rb"\d+ path=([^\n]*)\n")
_PAX_SIZE = re.compile(rb"\d+ size=(\d{1,18})\n")


@dataclass(frozen=True, slots=True)
class TarEntry:
    """One file of an archive; sizes in bytes."""

    name: str
    start: int
    packed_bytes: int
    is_directory: bool
    is_link: bool
    fault: None = None

    def open(self, file: BinaryIO) -> BinaryIO:
        """Its bytes."""
        return open_section(file, self.start, self.packed_bytes)


def is_tar(head: bytes) -> bool:
    """Whether a file that begins so is a tar archive."""
    return head.startswith(_MAGIC, _MAGIC_AT)


def list_entries(file: BinaryIO, most: int) -> list[TarEntry]:
    """The entries of the archive in their order; raises Invalid above `most`."""
    try:
        return list(_read_entries(file, most))
    except (EOFError, ValueError) as fault:
        raise Invalid("file", f"the tar archive is damaged or cut off: {fault}") from fault


def _read_entries(file: BinaryIO, most: int) -> Iterator[TarEntry]:
    at, count, extra = 0, 0, b""
    while any(head := _read_block(file, at)):
        start, size, kind = at + _BLOCK, _read_size(head, extra), head[156:157]
        at = start + -(-size // _BLOCK) * _BLOCK
        _check_head(head, file, start + size)
        count += 1
        if count > most:
            raise Invalid("file", f"the archive holds more than {most} files")
        if kind in {_LONG_NAME, _PAX}:
            extra += _read_extra(file, start, size, kind)
            if len(extra) > _MOST_EXTRA_BYTES:
                raise ValueError("too much stands before a file in it")
        elif kind not in {_PAX_OF_ALL, _LONG_LINK}:
            yield _make_entry(head, extra, start, size)
            extra = b""


def _read_block(file: BinaryIO, at: int) -> bytes:
    head = os.pread(file.fileno(), _BLOCK, at)
    if len(head) < _BLOCK:
        raise EOFError("its end is missing")
    return head


def _check_head(head: bytes, file: BinaryIO, end: int) -> None:
    blank = head[: _CHECKSUM.start] + b" " * 8 + head[_CHECKSUM.stop :]
    if sum(blank) != _read_number(head[_CHECKSUM]):
        raise ValueError("a head in it has another checksum than it says")
    if end > file.seek(0, os.SEEK_END):
        raise EOFError("a file in it is longer than the archive")


def _read_extra(file: BinaryIO, start: int, size: int, kind: bytes) -> bytes:
    """What stands before the head of a file, as records of pax: its name, its size."""
    text = os.pread(file.fileno(), min(size, _MOST_NAME_BYTES), start)
    return text if kind == _PAX else b"0 path=%b\n" % text.rstrip(b"\x00")


def _make_entry(head: bytes, extra: bytes, start: int, size: int) -> TarEntry:
    prefix, name = head[345:500].rstrip(b"\x00"), head[:100].split(b"\x00")[0]
    is_posix = head[_MAGIC_AT : _MAGIC_AT + 6] == b"ustar\x00"
    path = b"%b/%b" % (prefix, name) if prefix and is_posix else name
    kind, long_name = head[156:157], _PAX_PATH.search(extra)
    return TarEntry(
        name=decode_name(long_name[1] if long_name else path),
        start=start,
        packed_bytes=size,
        is_directory=kind == _DIRECTORY,
        is_link=kind not in {*_FILES, _DIRECTORY},
    )


def _read_size(head: bytes, extra: bytes) -> int:
    size = _PAX_SIZE.search(extra) if head[156:157] in _FILES else None
    return int(size[1]) if size else _read_number(head[124:136])


def _read_number(field: bytes) -> int:
    """A number in octal digits, or in binary after the mark of GNU tar; raises ValueError."""
    if field[0] == _BINARY:
        return int.from_bytes(field[1:])
    digits = field.strip(b" \x00")
    if not _OCTAL.fullmatch(digits):
        raise ValueError(f"{digits!r} is no number")
    return int(digits or b"0", 8)
