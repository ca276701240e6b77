"""Only the memories last changed in a span of time; both ends belong to it."""

from memferry.filters.base import Filter
from memferry.model import rules


class UpdatedAfter(Filter):
    """Last changed at this time or later, epoch milliseconds."""

    field = "updated_after"
    type = int
    condition = "updated_at >= $?::bigint"
    meaning = "last changed at this time or later, epoch milliseconds"

    @classmethod
    def check(cls, value: int) -> int:
        """The time as a whole number of milliseconds."""
        return rules.time_ms(cls.field, value)


class UpdatedBefore(Filter):
    """Last changed at this time or earlier, epoch milliseconds."""

    field = "updated_before"
    type = int
    condition = "updated_at <= $?::bigint"
    meaning = "last changed at this time or earlier, epoch milliseconds"

    @classmethod
    def check(cls, value: int) -> int:
        """The time as a whole number of milliseconds."""
        return rules.time_ms(cls.field, value)
