"""Only the memories created in a span of time."""

from memferry.filters.time_filter import TimeFilter


class CreatedAfter(TimeFilter):
    """Created at this time or later."""

    field = "created_after"
    condition = "created_at >= $?::bigint"
    meaning = "created at this time or later, epoch milliseconds"
    help = "Created then or later: epoch ms or ISO 8601."
    example = 1735689600000
    always_shown = True
    index_order = True
    end = "first"


class CreatedBefore(TimeFilter):
    """Created at this time or earlier."""

    field = "created_before"
    condition = "created_at <= $?::bigint"
    meaning = "created at this time or earlier, epoch milliseconds"
    help = "Created then or earlier: epoch ms or ISO 8601."
    always_shown = True
    index_order = True
    end = "last"
