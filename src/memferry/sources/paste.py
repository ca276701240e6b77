"""Pasted text: `[date] - memory` lines, as assistants hand them out and take them in.

Nothing in the text is obeyed or interpreted: it is cut into entries, and each is a memory.
"""

import hashlib
from collections.abc import Iterator
from typing import Any, LiteralString

from memferry.sources.base import Bundle, Journal, Member, ReadOptions, Record
from memferry.sources.notes.paste_entries import PastedEntry, Survey, cut_entries, survey_lines
from memferry.sources.reading.elements import HEAD_BYTES
from memferry.sources.reading.text import peek_text
from memferry.sources.reading.text_lines import read_lines
from memferry.sources.reading.times import TimeReader
from memferry.sources.reading.written_dates import parse_date


class PastedText:
    """Text with entries: dated lines, bullets, numbers; else its paragraphs."""

    name: LiteralString = "paste"

    def recognises(self, bundle: Bundle) -> bool:
        """Whether each file has dated entries, which are most of the entries it has."""
        return bool(bundle.members) and all(map(_has_dated_entries, bundle.members))

    def read(self, bundle: Bundle, options: ReadOptions, journal: Journal) -> Iterator[Record]:
        """Yield a record per entry, in order."""
        for member in bundle.members:
            survey = survey_lines(member)
            times = TimeReader(options.timezone, journal)
            for entry in cut_entries(survey, read_lines(member, journal), journal):
                if record := _make_record(entry, times, journal):
                    yield record


def _has_dated_entries(member: Member) -> bool:
    head = peek_text(member, HEAD_BYTES)
    if b"\x00" in head:
        return False
    lines = head.decode("utf-8", "replace").split("\n")
    survey = Survey()
    # The last line is cut, or nothing stands after the last LF.
    for line in lines[:-1] or lines:
        survey.count(line)
    return survey.dated > 0 and (survey.is_exact or 2 * survey.dated >= survey.entries)


def _make_record(entry: PastedEntry, times: TimeReader, journal: Journal) -> Record | None:
    if entry.fault:
        journal.reject(entry.place, entry.fault)
        return None
    content = entry.text
    if not content:
        journal.leave_out("entry without text")
        return None
    created_at, iso = _read_date(entry, times)
    origin: dict[str, Any] = {"date": entry.date, "section": entry.section}
    if created_at is not None:
        origin["time_from"] = "record"
    return Record(
        place=entry.place,
        content=content,
        key=hashlib.sha256(f"{iso}\0{content}".encode()).hexdigest(),
        origin={name: value for name, value in origin.items() if value},
        created_at=created_at,
    )


def _read_date(entry: PastedEntry, times: TimeReader) -> tuple[int | None, str]:
    """The time in ms, and one spelling of the date for all that mean the same."""
    if entry.date is None:
        return None, ""
    if date := parse_date(entry.date):
        return date.count_milliseconds(times.zone), date.iso
    return times.read(entry.date, entry.place), entry.date
