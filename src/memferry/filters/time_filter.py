"""What the filters of a span of time have in common; both ends of a span belong to it."""

from memferry.filters.base import Filter
from memferry.model import rules


class TimeFilter(Filter):
    """A bound in epoch milliseconds."""

    type = int

    @classmethod
    def check(cls, value: int) -> int:
        """The time as a whole number of milliseconds."""
        return rules.check_time_ms(cls.field, value)
