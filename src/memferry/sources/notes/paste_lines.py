"""What one line of pasted text is: an entry with its date, a heading, a fence, a blank, text."""

import re
from dataclasses import dataclass
from enum import Enum

from memferry.sources.reading.written_dates import names_time

_FENCE = re.compile(r"(?:```|~~~)[^`~]*")
_RULE = re.compile(r"(?:-{3,}|\*{3,}|_{3,}|={3,})")
_HEADING = re.compile(r"#{1,6}[ \t].*|\*\*[^*]+\*\*:?|.{1,80}:")
_BULLET = r"[-*+\u2013\u2014\u2022\u2023\u25AA\u25E6\u00B7]"
_MARKER = re.compile(rf"(?:{_BULLET}|\(?\d{{1,9}}[.)])[ \t]+(?=\S)")
_BRACKETS = re.compile(
    r"(?P<bold>\*\*)?\[(?P<label>[^\[\]]{1,40})\](?(bold)\*\*)"
    r"(?:[ \t]*[-\u2013\u2014:](?=\s|$))?[ \t]*"
)
# Without brackets a year alone is no date: it may begin a title.
_BARE = re.compile(
    r"(?P<label>\d{4}-\d\d?(?:-\d\d?)?|[A-Za-z]{3,9}\.? \d{1,2}(?:[a-z]{2})?,? \d{4}"
    r"|\d{1,2}(?:[a-z]{2})? [A-Za-z]{3,9}\.?,? \d{4})(?:[ \t]*:|[ \t]+[-\u2013\u2014])[ \t]+"
)
_NO_DATE = frozenset(
    ["unknown", "n/a", "na", "none", "no date", "undated", "date unknown", "unknown date", "?", "-"]
)


class LineKind(Enum):
    """What a line is for a reader of lists."""

    BLANK = "blank"
    FENCE = "fence"
    HEADING = "heading"
    ENTRY = "entry"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class PastedLine:
    """One line, taken apart."""

    kind: LineKind
    text: str
    """Without indentation; of an entry without marker and date, of a heading without its signs."""
    indent: int = 0
    is_dated: bool = False
    """Whether it names a date, if only to say that there is none."""
    date: str | None = None
    """A date as it is written, and as `parse_date` or a time reader can read it."""


def parse_line(line: str) -> PastedLine:
    """Take one line apart."""
    expanded = line.rstrip().expandtabs(4)
    text = line.strip()
    indent = len(expanded) - len(expanded.lstrip())
    if not text:
        return PastedLine(LineKind.BLANK, "")
    if _FENCE.fullmatch(text):
        return PastedLine(LineKind.FENCE, text, indent)
    if _RULE.fullmatch(text):
        return PastedLine(LineKind.HEADING, "", indent)
    if (entry := _parse_entry(text, indent)) is not None:
        return entry
    kind = LineKind.HEADING if _HEADING.fullmatch(text) else LineKind.TEXT
    return PastedLine(kind, text.strip("#* \t:") if kind is LineKind.HEADING else text, indent)


def _parse_entry(text: str, indent: int) -> PastedLine | None:
    """An entry begins with a bullet, a number or a date; None if the line does not."""
    marker = _MARKER.match(text)
    rest = text[marker.end() :] if marker else text
    brackets = _BRACKETS.match(rest)
    if brackets and brackets["label"].strip().lower() in _NO_DATE:
        return PastedLine(LineKind.ENTRY, rest[brackets.end() :], indent, is_dated=True)
    label = brackets or _BARE.match(rest)
    if label and names_time(date := label["label"].strip()):
        return PastedLine(LineKind.ENTRY, rest[label.end() :], indent, is_dated=True, date=date)
    # Brackets around something else are words of the entry.
    return PastedLine(LineKind.ENTRY, rest, indent) if marker or brackets else None
