"""Times on the command line."""

from datetime import UTC, datetime

from memferry.errors import Invalid
from memferry.model.times import count_epoch_ms

# The first of January 10000, UTC.
_LATEST_SHOWN_MS = 253_402_300_800_000


def read_epoch_ms(option: str, text: str | None) -> int | None:
    """Read epoch milliseconds or ISO 8601 into epoch milliseconds; UTC without a zone.

    Raises Invalid, which names the option.
    """
    if text is None:
        return None
    try:
        if text.isascii() and text.isdigit():
            return int(text)
        moment = datetime.fromisoformat(text)
    except ValueError as fault:
        raise Invalid(option, "expected epoch milliseconds or ISO 8601") from fault
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return count_epoch_ms(moment)


def show_time(epoch_ms: int | None) -> str:
    """Format a time for a table; none is an empty cell, one after the year 9999 is a number."""
    if epoch_ms is None:
        return ""
    if epoch_ms >= _LATEST_SHOWN_MS:
        return str(epoch_ms)
    return datetime.fromtimestamp(epoch_ms / 1000, UTC).isoformat(" ", "seconds")


def show_minute(epoch_ms: int | None) -> str:
    """Format a time in UTC for a narrow table; none is an empty cell."""
    return show_time(epoch_ms).removesuffix("+00:00")[:16]
