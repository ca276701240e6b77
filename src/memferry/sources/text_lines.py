"""Lines of a text file, of bounded length, whatever bytes it holds."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from memferry.model.rules import CONTENT_BYTES
from memferry.sources.base import Journal, Member, Place

NUL = "NUL"
NO_UTF8 = "invalid UTF-8"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
LONGEST_BYTES = 4 * CONTENT_BYTES
"""More than a content can take with all that may stand around its lines."""
_SKIPPED_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line without its LF; a CR stays."""

    place: Place
    text: str | None
    """None: it is longer than any content may be."""


def cut_lines(member: Member) -> Iterator[bytes | None]:
    """Yield the lines of a file without their LF; None for one that is longer than a content."""
    with closing(member.open()) as file:
        first = True
        while line := file.readline(LONGEST_BYTES):
            if first:
                line, first = line.removeprefix(BYTE_ORDER_MARK), False
            if line.endswith(b"\n") or len(line) < LONGEST_BYTES:
                yield line.removesuffix(b"\n")
                continue
            while line and not line.endswith(b"\n"):
                line = file.readline(_SKIPPED_BYTES)
            yield None


def read_lines(member: Member, journal: Journal) -> Iterator[TextLine]:
    """Yield the lines of a file as text; bytes that are none are mended and noted."""
    for number, line in enumerate(cut_lines(member), 1):
        place = Place(member.name, f"line {number}")
        yield TextLine(place, None if line is None else decode_text(line, place, journal))


def decode_text(data: bytes, place: Place, journal: Journal) -> str:
    """Turn bytes into text; NUL, which no memory may hold, and what is no UTF-8 are noted."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        journal.repair(NO_UTF8, place)
        text = data.decode("utf-8", "replace")
    if "\x00" in text:
        journal.repair(NUL, place)
        text = text.replace("\x00", "")
    return text
