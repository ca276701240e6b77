"""Only the memories that have all of some tags."""

from memferry.filters.base import Filter
from memferry.model import rules


class Tags(Filter):
    """Array containment: exact, case-sensitive; an empty list matches every memory."""

    field = "tags"
    type = list[str]
    condition = "tags @> $?::text[]"
    meaning = "the memory has all of these tags"
    always_shown = True
    option = "tag"
    help = "Has this tag; repeat for more."

    @classmethod
    def check(cls, value: list[str]) -> list[str]:
        """The tags as a list of strings."""
        return rules.check_tags(cls.field, value, most=rules.FILTER_TAGS)
