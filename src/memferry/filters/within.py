"""Only the memories of some namespaces: the limit of a token, which no request can ask for."""

from memferry.filters.base import Filter
from memferry.model import rules


class Within(Filter):
    """A worker has no caller; an export that was asked for under a limit brings it along."""

    field = "namespaces"
    type = list[str]
    condition = "namespace = ANY ($?::text[])"
    meaning = "only these namespaces"

    @classmethod
    def check(cls, value: list[str]) -> list[str]:
        """The names."""
        return [
            rules.check_text(cls.field, each, most=rules.NAMESPACE_CHARACTERS) for each in value
        ]
