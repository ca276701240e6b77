"""Lines of a text file, of bounded length, whatever bytes it holds."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from memferry.model.rules import CONTENT_BYTES
from memferry.sources.base import Journal, Member, Place
from memferry.sources.reading.mending import NUL, SURROGATE_BYTES
from memferry.sources.reading.text import open_text

LONGEST_BYTES = 4 * CONTENT_BYTES
"""More than a content can take with all that may stand around its lines."""
TOO_LONG = "longer than any memory may be"
_SKIPPED_BYTES = 1024 * 1024
_SHOWN_BYTES = 1024


class UnreadableText(ValueError):
    """The bytes are no UTF-8, or too many; says which."""


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line without its LF; a CR stays."""

    place: Place
    text: str
    """What can be read of it."""
    fault: str | None = None
    """Why that is not all."""


@dataclass
class TextBlock:
    """Lines that belong together, while they are read."""

    place: Place
    lines: list[str] = field(default_factory=list)
    fault: str | None = None
    """Why it is no text, or not all of it is here."""
    _size: int = 0

    @property
    def text(self) -> str:
        """The lines with LF between them."""
        return "\n".join(self.lines)

    def add(self, text: str, fault: str | None = None) -> None:
        """Add a line; of a block that is too long nothing more is kept."""
        self._size += len(text) + 1
        self.fault = self.fault or fault or (TOO_LONG if self._size > LONGEST_BYTES else None)
        if self.fault is None:
            self.lines.append(text)

    def extend(self, block: "TextBlock") -> None:
        """Add the lines of another block."""
        for line in block.lines:
            self.add(line)
        self.fault = self.fault or block.fault


def cut_lines(member: Member, journal: Journal) -> Iterator[tuple[bytes, bool]]:
    """Yield the lines of a file without their LF, and whether they are whole.

    Of a line that is longer than `LONGEST_BYTES` only the beginning is read.
    """
    with open_text(member, journal) as file:
        while line := file.readline(LONGEST_BYTES):
            if line.endswith(b"\n") or len(line) < LONGEST_BYTES:
                yield line.removesuffix(b"\n"), True
                continue
            yield line[:_SHOWN_BYTES], False
            while line and not line.endswith(b"\n"):
                line = file.readline(_SKIPPED_BYTES)


def read_lines(member: Member, journal: Journal) -> Iterator[TextLine]:
    """Yield the lines of a file as text; what can be mended in them is, and is noted."""
    for number, (line, is_whole) in enumerate(cut_lines(member, journal), 1):
        place = Place(member.name, f"line {number}")
        if not is_whole:
            yield TextLine(place, line.decode("utf-8", "replace"), TOO_LONG)
            continue
        try:
            yield TextLine(place, decode_text(line, place, journal))
        except UnreadableText as fault:
            yield TextLine(place, line.decode("utf-8", "replace"), str(fault))


def decode_text(data: bytes, place: Place, journal: Journal) -> str:
    """Turn bytes into text without NUL; raises UnreadableText. Repairs are noted."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = _join_surrogates(data)
        journal.repair(SURROGATE_BYTES, place)
    if "\x00" in text:
        journal.repair(NUL, place)
        text = text.replace("\x00", "")
    return text


def _join_surrogates(data: bytes) -> str:
    """Text whose surrogates were encoded one by one; half a pair becomes U+FFFD."""
    try:
        halves = data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as fault:
        byte = f"byte {fault.start} is 0x{data[fault.start]:02X}"
        raise UnreadableText(f"is not UTF-8, {byte}: convert the file first") from fault
    return halves.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
