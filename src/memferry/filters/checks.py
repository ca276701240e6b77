"""Reading the filters of a request: only the given ones count, each checked by its own rule."""

from collections.abc import Sequence
from typing import Any

from msgspec import UNSET

from memferry.filters.base import Filter


def check_filters(filters: Sequence[type[Filter]], body: Any) -> dict[type[Filter], object]:
    """The filters that a body gives, with their checked values; raises Invalid with the field.

    The body has a field for each of the filters; None and UNSET stand for one that is not given.
    """
    return keep_given({filter_: getattr(body, filter_.field) for filter_ in filters})


def keep_given(values: dict[type[Filter], Any]) -> dict[type[Filter], object]:
    """The filters with a value, checked; a check may find that a value is none."""
    checked = {
        filter_: filter_.check(value)
        for filter_, value in values.items()
        if value is not None and value is not UNSET
    }
    return {filter_: value for filter_, value in checked.items() if value is not None}
