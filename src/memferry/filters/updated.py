"""Only the memories last changed in a span of time."""

from memferry.filters.time_filter import TimeFilter


class UpdatedAfter(TimeFilter):
    """Last changed at this time or later."""

    field = "updated_after"
    condition = "updated_at >= $?::bigint"
    meaning = "last changed at this time or later, epoch milliseconds"
    help = "Changed then or later: epoch ms or ISO 8601."


class UpdatedBefore(TimeFilter):
    """Last changed at this time or earlier."""

    field = "updated_before"
    condition = "updated_at <= $?::bigint"
    meaning = "last changed at this time or earlier, epoch milliseconds"
    help = "Changed then or earlier: epoch ms or ISO 8601."
