"""Times as they travel and are stored: milliseconds since 1970, UTC."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def count_epoch_ms(moment: datetime) -> int:
    """Count the milliseconds from 1970 to a moment that has a zone; what is finer is cut off."""
    return (moment - EPOCH) // timedelta(milliseconds=1)


def make_moment(epoch_ms: int) -> datetime:
    """Make a moment of a time; raises OverflowError beyond the year 9999."""
    return EPOCH + timedelta(milliseconds=epoch_ms)
