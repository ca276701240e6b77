"""Lines of a text file, of bounded length, whatever bytes it holds."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from memferry.model.rules import CONTENT_BYTES
from memferry.sources.base import Journal, Member, Place
from memferry.sources.mending import NUL, SURROGATE_BYTES
from memferry.sources.text import open_text

LONGEST_BYTES = 4 * CONTENT_BYTES
"""More than a content can take with all that may stand around its lines."""
NO_UTF8 = "invalid UTF-8"
_SKIPPED_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line without its LF; a CR stays."""

    place: Place
    text: str | None
    """None: it is longer than `LONGEST_BYTES`."""


@dataclass
class TextBlock:
    """Lines that belong together, while they are read."""

    place: Place
    lines: list[str] = field(default_factory=list)
    is_too_long: bool = False
    """Whether there are more than `LONGEST_BYTES`; then some of them are gone."""
    _size: int = 0

    @property
    def text(self) -> str:
        """The lines with LF between them."""
        return "\n".join(self.lines)

    def add(self, text: str | None) -> None:
        """Add a line; of a block that is too long nothing more is kept."""
        self._size += (LONGEST_BYTES if text is None else len(text)) + 1
        self.is_too_long |= self._size > LONGEST_BYTES
        if text is not None and not self.is_too_long:
            self.lines.append(text)

    def extend(self, block: "TextBlock") -> None:
        """Add the lines of another block."""
        for line in block.lines:
            self.add(line)
        self.is_too_long |= block.is_too_long


def cut_lines(member: Member, journal: Journal) -> Iterator[bytes | None]:
    """Yield the lines of a file without their LF; None for one longer than `LONGEST_BYTES`."""
    with open_text(member, journal) as file:
        while line := file.readline(LONGEST_BYTES):
            if line.endswith(b"\n") or len(line) < LONGEST_BYTES:
                yield line.removesuffix(b"\n")
                continue
            while line and not line.endswith(b"\n"):
                line = file.readline(_SKIPPED_BYTES)
            yield None


def read_lines(member: Member, journal: Journal) -> Iterator[TextLine]:
    """Yield the lines of a file as text; bytes that are none are mended and noted."""
    for number, line in enumerate(cut_lines(member, journal), 1):
        place = Place(member.name, f"line {number}")
        yield TextLine(place, None if line is None else decode_text(line, place, journal))


def decode_text(data: bytes, place: Place, journal: Journal) -> str:
    """Turn bytes into text; NUL, which no memory may hold, and what is no UTF-8 are noted."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = _decode_damaged(data, place, journal)
    if "\x00" in text:
        journal.repair(NUL, place)
        text = text.replace("\x00", "")
    return text


def _decode_damaged(data: bytes, place: Place, journal: Journal) -> str:
    """Text whose surrogates were encoded one by one, or that has bytes of another encoding."""
    try:
        halves = data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        journal.repair(NO_UTF8, place)
        return data.decode("utf-8", "replace")
    journal.repair(SURROGATE_BYTES, place)
    return halves.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
