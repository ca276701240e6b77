"""Times as other systems write them, read as epoch milliseconds."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from memferry.errors import Invalid
from memferry.model.rules import LATEST_STORED_MS
from memferry.model.times import EPOCH
from memferry.sources.base import Journal, Place

NO_ZONE = "time without zone"
UNREADABLE = "unreadable time"

# RFC 3339 with what is seen beside it: a blank for the T, no seconds, no zone, a date alone.
_ISO = re.compile(
    r"\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,30})?)?\s?(?:[Zz]|[+-]\d\d:?\d\d)?)?"
)
_NUMBER = re.compile(r"\d{1,30}(?:\.\d{1,30})?")
# A number tells its unit by its size: seconds, milliseconds, microseconds, else nanoseconds.
_SECONDS_BELOW, _MILLISECONDS_BELOW, _MICROSECONDS_BELOW = 10**11, 10**14, 10**17


def find_zone(name: str) -> tzinfo:
    """Find a time zone by its IANA name; raises Invalid that names `timezone`."""
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as fault:
        raise Invalid("timezone", "is no name of a time zone, such as Europe/Paris") from fault


def parse_iso(text: str) -> datetime:
    """Read a date or time of ISO 8601, with its zone if it has one; raises ValueError."""
    if not _ISO.fullmatch(text):
        raise ValueError(text)
    return datetime.fromisoformat(text.upper())


class TimeReader:
    """Reads the times of one input; notes those that have no zone, and those it cannot read."""

    def __init__(self, timezone: str, journal: Journal) -> None:
        self.zone = find_zone(timezone)
        self._journal = journal

    def read(self, value: object, place: Place) -> int | None:
        """Read a time in epoch milliseconds; None if there is none, or none that can be read.

        A number is in s, ms, µs or ns since 1970; text is a number or ISO 8601. 0 means none.
        """
        if value is None or value in ("", 0):
            return None
        try:
            milliseconds = self._convert(value, place)
        except (ValueError, OverflowError):
            milliseconds = -1
        if 0 <= milliseconds <= LATEST_STORED_MS:
            return milliseconds or None
        self._journal.repair(UNREADABLE, place)
        return None

    def _convert(self, value: object, place: Place) -> int:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return count_milliseconds(value)
        text = value.strip() if isinstance(value, str) else ""
        if _NUMBER.fullmatch(text):
            return count_milliseconds(float(text) if "." in text else int(text))
        moment = parse_iso(text)
        if moment.tzinfo is None:
            self._journal.repair(NO_ZONE, place)
            moment = moment.replace(tzinfo=self.zone)
        return count_since_epoch(moment)


def count_milliseconds(number: float) -> int:
    """Turn a number of s, ms, µs or ns since 1970 into ms, rounded once.

    Raises ValueError and OverflowError for what is no finite number.
    """
    if number < _SECONDS_BELOW:
        return round(number * 1000)
    if number < _MILLISECONDS_BELOW:
        return round(number)
    # Whole numbers stay whole: a float has no room for nanoseconds.
    whole = round(number)
    return _divide(whole, 1000 if whole < _MICROSECONDS_BELOW else 1_000_000)


def count_since_epoch(moment: datetime) -> int:
    """Count the ms from 1970 to a moment that has a zone, rounded once."""
    return _divide((moment - EPOCH) // timedelta(microseconds=1), 1000)


def _divide(number: int, divisor: int) -> int:
    return (number + divisor // 2) // divisor
