"""Only the memories created in a span of time; both ends belong to it."""

from memferry.filters.base import Filter
from memferry.model import rules


class CreatedAfter(Filter):
    """Created at this time or later, epoch milliseconds."""

    field = "created_after"
    type = int
    condition = "created_at >= $?::bigint"
    meaning = "created at this time or later, epoch milliseconds"
    example = 1735689600000

    @classmethod
    def check(cls, value: int) -> int:
        """The time as a whole number of milliseconds."""
        return rules.time_ms(cls.field, value)


class CreatedBefore(Filter):
    """Created at this time or earlier, epoch milliseconds."""

    field = "created_before"
    type = int
    condition = "created_at <= $?::bigint"
    meaning = "created at this time or earlier, epoch milliseconds"
    example = 4102444800000

    @classmethod
    def check(cls, value: int) -> int:
        """The time as a whole number of milliseconds."""
        return rules.time_ms(cls.field, value)
