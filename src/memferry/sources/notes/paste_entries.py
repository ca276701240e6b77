"""Pasted text cut into entries, in the way that fits all lines of a file."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from memferry.sources.base import Journal, Member, Place
from memferry.sources.notes.paste_lines import LineKind, PastedLine, parse_line
from memferry.sources.reading.text_lines import TextBlock, TextLine, cut_lines
from memferry.sources.reading.written_dates import names_time

# Our own export: an entry, two blanks after each line end in it, nothing else.
_EXACT_ENTRY = re.compile(r"\[(?P<date>\d{4,6}-\d\d-\d\d)\] - (?P<text>.*)", re.DOTALL)
_EXACT_REST = "  "
_EXACT_LINE_END = re.compile("(\r\n|[\n\v\f\r\x1c-\x1e\x85\u2028\u2029])" + _EXACT_REST)
_ENDS_SENTENCE = tuple(".!?\u2026\u3002\uff01\uff1f")


@dataclass
class Survey:
    """What the lines of one file are, counted before they are read as entries."""

    lines: int = 0
    blanks: int = 0
    entries: int = 0
    dated: int = 0
    fenced: int = 0
    """Entries inside of code blocks."""
    sentences: int = 0
    windows_ends: int = 0
    is_exact: bool = True
    """Whether it has the form of our own export, line by line."""
    _in_fence: bool = False
    _indent: int = 0

    def count(self, text: str) -> None:
        """Count one line; an entry that stands further in than the first belongs to another one."""
        line = parse_line(text)
        if not self.entries and line.kind is LineKind.ENTRY:
            self._indent = line.indent
        self.lines += 1
        self.windows_ends += text.endswith("\r")
        self.is_exact &= _begins_exact_entry(text) or (
            self.lines > 1 and text.startswith(_EXACT_REST)
        )
        self.blanks += line.kind is LineKind.BLANK
        self.sentences += line.text.endswith(_ENDS_SENTENCE)
        self._in_fence ^= line.kind is LineKind.FENCE
        if line.kind is LineKind.ENTRY and line.indent <= self._indent:
            self.entries += 1
            self.dated += line.is_dated
            self.fenced += self._in_fence


def _begins_exact_entry(text: str) -> bool:
    """Whether our own export can have begun an entry so; years from 10000 on are taken as read."""
    start = _EXACT_ENTRY.match(text)
    return start is not None and (
        len(start["date"]) > len("2026-01-15") or names_time(start["date"])
    )


def survey_lines(member: Member) -> Survey:
    """Look at all lines of a file once, and keep none."""
    survey = Survey()
    for line, _ in cut_lines(member, _NoJournal()):
        survey.count(line.decode("utf-8", "replace"))
    return survey


class _NoJournal:
    """Takes no note: the same lines are read once more."""

    def repair(self, kind: str, place: Place) -> None:
        pass

    def reject(self, place: Place, reason: str) -> None:
        pass

    def leave_out(self, reason: str, count: int = 1) -> None:
        pass


@dataclass
class PastedEntry(TextBlock):
    """An entry while its lines are read."""

    date: str | None = None
    section: str | None = None


def cut_entries(
    survey: Survey, lines: Iterator[TextLine], journal: Journal
) -> Iterator[PastedEntry]:
    """Cut lines into entries, in the way that fits all of them."""
    if survey.is_exact:
        return _cut_exact(lines, survey, journal)
    if survey.entries:
        return _ListCutter(survey, journal).cut(lines)
    return _cut_prose(lines, survey)


def _cut_exact(
    lines: Iterator[TextLine], survey: Survey, journal: Journal
) -> Iterator[PastedEntry]:
    """Our own export, which is read to the byte.

    No entry of it ends with a CR: one on every line was put there by another program, and goes.
    """
    end = "\r" if survey.windows_ends == survey.lines else ""
    entry = None
    for line in lines:
        text = line.text.removesuffix(end)
        start = _EXACT_ENTRY.fullmatch(text)
        if start:
            if entry:
                yield _join_exact(entry)
            entry = PastedEntry(line.place, date=start["date"])
            if end:
                journal.repair("CRLF line ends", line.place)
        if entry:
            entry.add(start["text"] if start else text, line.fault)
    if entry:
        yield _join_exact(entry)


def _join_exact(entry: PastedEntry) -> PastedEntry:
    text = _EXACT_LINE_END.sub(r"\1", "\n".join(entry.lines))
    return replace(entry, lines=[text])


def _cut_prose(lines: Iterator[TextLine], survey: Survey) -> Iterator[PastedEntry]:
    """Text without any entries: its paragraphs; or its lines, if each of them is a sentence."""
    line_by_line = survey.blanks == 0 and survey.sentences == survey.lines
    entry = None
    for line in lines:
        parsed = parse_line(line.text)
        if entry and (line_by_line or parsed.kind is not LineKind.TEXT):
            yield entry
            entry = None
        if parsed.kind is LineKind.TEXT:
            entry = entry or PastedEntry(line.place)
            entry.add(line.text.rstrip(), line.fault)
    if entry:
        yield entry


class _ListCutter:
    """Cuts text with entries: a line with a marker or a date begins one, an indented one goes on.

    If there are entries in a code block, what stands around it is talk, unless it has a date.
    """

    def __init__(self, survey: Survey, journal: Journal) -> None:
        self._survey = survey
        self._journal = journal
        self._entry: PastedEntry | None = None
        self._indent = self._inner_indent = 0
        self._blanks = 0
        self._section: str | None = None
        self._in_fence = False

    def cut(self, lines: Iterator[TextLine]) -> Iterator[PastedEntry]:
        """Yield the entries; the last one when the lines are at their end."""
        for line in lines:
            before = self._entry
            self._take(line, parse_line(line.text))
            if before and self._entry is not before:
                yield before
        if self._entry:
            yield self._entry

    def _take(self, line: TextLine, parsed: PastedLine) -> None:
        if parsed.kind is LineKind.BLANK:
            self._blanks += 1
        elif self._entry and parsed.indent > self._indent:
            self._go_on(line, parsed.indent)
        elif parsed.kind is LineKind.FENCE:
            self._in_fence, self._entry = not self._in_fence, None
        elif self._survey.fenced and not self._in_fence and not parsed.is_dated:
            self._entry = None
            self._journal.leave_out("text outside of the code block")
        else:
            self._take_unindented(line, parsed)
        if parsed.kind is not LineKind.BLANK:
            self._blanks = 0

    def _take_unindented(self, line: TextLine, parsed: PastedLine) -> None:
        if parsed.kind is LineKind.ENTRY:
            self._begin(line, parsed)
        elif parsed.kind is LineKind.HEADING:
            self._section, self._entry = parsed.text or None, None
        elif self._entry and not self._blanks:
            self._go_on(line, parsed.indent)
        elif self._survey.dated:
            self._entry = None
            self._journal.leave_out("text that is no entry")
        else:
            self._begin(line, parsed)

    def _begin(self, line: TextLine, parsed: PastedLine) -> None:
        self._entry = PastedEntry(line.place, date=parsed.date, section=self._section)
        self._entry.add(parsed.text, line.fault)
        self._indent, self._inner_indent = parsed.indent, 0

    def _go_on(self, line: TextLine, indent: int) -> None:
        """Add a line to the entry, without the indentation of the first one that was indented."""
        if self._entry is None:
            return
        self._inner_indent = self._inner_indent or indent
        for _ in range(self._blanks):
            self._entry.add("")
        inner = " " * max(0, indent - self._inner_indent)
        self._entry.add(inner + line.text.strip(), line.fault)
