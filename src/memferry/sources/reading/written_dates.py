"""Dates as people and assistants write them, to the day, the month or the year."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo
from functools import lru_cache

from memferry.sources.reading.times import count_since_epoch, parse_iso

_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_MONTH = r"(?P<month_name>[a-z]{3,9})\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>\d{4})"
_DATES = (
    rf"{_YEAR}(?:[-/.](?P<month>\d\d?)(?:[-/.]{_DAY})?)?",
    rf"{_MONTH} {_DAY},? {_YEAR}",
    rf"{_DAY} {_MONTH},? {_YEAR}",
    rf"{_MONTH},? {_YEAR}",
)
_FORMS = tuple(re.compile(form, re.IGNORECASE) for form in _DATES)


@dataclass(frozen=True, slots=True)
class WrittenDate:
    """A day, or the first day of a month or a year."""

    start: date
    iso: str
    """As ISO 8601 writes it, to the same precision: `2026-01-05`, `2026-01`, `2026`."""

    def count_milliseconds(self, zone: tzinfo) -> int | None:
        """Its beginning in a zone in epoch milliseconds; None before 1970."""
        milliseconds = count_since_epoch(datetime.combine(self.start, time(), zone))
        return milliseconds if milliseconds >= 0 else None


@lru_cache(maxsize=4096)  # one file names the same days over and over
def parse_date(text: str) -> WrittenDate | None:
    """Read `2026-01-05`, `2026-01`, `2026`, `Jan 5, 2026`, `5 January 2026`; None for all else.

    A day and a month in figures before the year are not read: which is which depends on a country.
    """
    for form in _FORMS:
        if match := form.fullmatch(text.strip()):
            return _make_date(match.groupdict())
    return None


def names_time(text: str) -> bool:
    """Whether `parse_date` or ISO 8601 reads a text."""
    try:
        return parse_date(text) is not None or parse_iso(text) is not None
    except ValueError:
        return False


def _make_date(parts: dict[str, str | None]) -> WrittenDate | None:
    year, month, day = parts["year"] or "", parts.get("month"), parts.get("day")
    name = (parts.get("month_name") or "").lower()
    if name:
        month = next((str(n) for n, full in enumerate(_MONTHS, 1) if full.startswith(name)), "0")
    try:
        start = date(int(year), int(month or 1), int(day or 1))
    except ValueError:
        return None
    return WrittenDate(start, "-".join([year, *(part.zfill(2) for part in (month, day) if part)]))
