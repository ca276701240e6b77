"""Text of any Unicode encoding as UTF-8 without a byte order mark, streamed."""

import codecs
import io
import re
from typing import BinaryIO, cast

from memferry.sources.base import Journal, Member, Place, refuse_file
from memferry.sources.streams import ProducedStream

_CHUNK_BYTES = 256 * 1024
# The longer mark first: that of UTF-16 begins that of UTF-32.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Of the first two characters, which are ASCII in all text that is read here.
_ZEROS = (
    (re.compile(rb"[^\0]\0[^\0]\0"), "utf-16-le"),
    (re.compile(rb"\0[^\0]\0[^\0]"), "utf-16-be"),
)


def open_text(member: Member, journal: Journal) -> BinaryIO:
    """The member's text as UTF-8; the caller closes it. Bytes that are no UTF-8 stay as they are.

    A byte order mark is taken away, UTF-16 and UTF-32 are converted: both are repairs.
    """
    mark, encoding = _find_encoding(member.peek(4))
    if mark or encoding != "utf-8":
        kind = "byte order mark" if encoding == "utf-8" else encoding[:6]
        journal.repair(kind, Place(member.name, "start"))
    file = member.open()
    file.seek(len(mark))
    return file if encoding == "utf-8" else _convert(file, encoding, member.name)


def peek_text(member: Member, size: int) -> bytes:
    """The beginning of the member's text as UTF-8; a character at its end may be cut."""
    head = member.peek(size)
    mark, encoding = _find_encoding(head[:4])
    if encoding == "utf-8":
        return head[len(mark) :]
    return head[len(mark) :].decode(encoding, "replace").encode()


def _find_encoding(head: bytes) -> tuple[bytes, str]:
    """The byte order mark and the encoding; without a mark it is told by where zeros stand."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return mark, encoding
    for zeros, encoding in _ZEROS:
        if zeros.match(head):
            return b"", encoding
    return b"", "utf-8"


def _convert(file: BinaryIO, encoding: str, name: str) -> BinaryIO:
    return cast(BinaryIO, io.BufferedReader(_Converted(file, encoding, name), _CHUNK_BYTES))


class _Converted(ProducedStream):
    """UTF-16 or UTF-32 as UTF-8; half a surrogate pair comes as its three bytes."""

    def __init__(self, file: BinaryIO, encoding: str, name: str) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")
        self._encoding = encoding
        self._name = name
        self._ready = memoryview(b"")
        self._has_ended = False

    def close(self) -> None:
        self._file.close()
        super().close()

    def _produce(self, size: int) -> memoryview:
        while not self._ready and not self._has_ended:
            self._ready = memoryview(self._read_more())
        data = self._ready[:size]
        self._ready = self._ready[size:]
        return data

    def _read_more(self) -> bytes:
        chunk = self._file.read(_CHUNK_BYTES)
        self._has_ended = not chunk
        try:
            text = self._decoder.decode(chunk, self._has_ended)
        except UnicodeDecodeError as fault:
            raise refuse_file(self._name, f"is no {self._encoding}: {fault.reason}") from fault
        return text.encode("utf-8", "surrogatepass")
