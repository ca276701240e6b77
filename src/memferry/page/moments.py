"""Times as people write them into a form, in UTC."""

from datetime import UTC, date, datetime, timedelta

from memferry.errors import Invalid

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_MS = 24 * 3600 * 1000
_LAST_MS = 253_402_300_799_999
"""The end of the year 9999, behind which datetime knows no time."""


def read_moment(field: str, text: str) -> int | None:
    """Read a day, a time of ISO 8601 or epoch ms into epoch ms; UTC unless a zone is named.

    A day is its first millisecond, or its last one for a field that ends with `before`.
    """
    text = text.strip()
    if not text:
        return None
    if text.isascii() and text.isdigit():
        return int(text)
    try:
        if len(text) == len("2026-01-31"):
            start = _count_ms(datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC))
            return max(start + _DAY_MS - 1 if field.endswith("before") else start, 0)
        moment = datetime.fromisoformat(text)
    except ValueError as fault:
        raise Invalid(
            field, "expected a day as 2026-01-31, or a time as 2026-01-31T18:30"
        ) from fault
    return _count_ms(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def write_moment(epoch_ms: int | None) -> str:
    """Write a time as `read_moment` reads it; empty for None."""
    if epoch_ms is None:
        return ""
    if not 0 <= epoch_ms <= _LAST_MS:
        return str(epoch_ms)
    moment = _EPOCH + timedelta(milliseconds=epoch_ms)
    return moment.replace(tzinfo=None).isoformat("T", "milliseconds")


def _count_ms(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)
