"""Only the memories with some ids."""

from uuid import UUID

from memferry.errors import Invalid
from memferry.filters.base import Filter

_MOST = 500


class Ids(Filter):
    """A choice by hand; an id that no memory has finds nothing."""

    field = "ids"
    type = list[str]
    condition = "id = ANY ($?::uuid[])"
    meaning = "one of these memories, up to 500"
    option = "memory"
    help = "This memory, by its id; repeat for more."

    @classmethod
    def check(cls, value: list[str]) -> list[str]:
        """The ids; none at all are refused, since an empty choice must not mean "all"."""
        if not 1 <= len(value) <= _MOST:
            raise Invalid(cls.field, f"expected 1 to {_MOST} ids")
        return [_check_id(index, text) for index, text in enumerate(value)]


def _check_id(index: int, text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError as fault:
        raise Invalid(f"ids[{index}]", "expected the id of a memory") from fault
