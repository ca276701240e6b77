"""Only the memories of the namespaces that a token is limited to; no request can ask for it."""

from memferry.filters.base import Filter
from memferry.model import rules


class TokenNamespaces(Filter):
    """A worker has no caller: an export by a limited token carries the limit along."""

    field = "namespaces"
    type = list[str]
    condition = "namespace = ANY ($?::text[])"

    @classmethod
    def check(cls, value: list[str]) -> list[str]:
        """The names."""
        return [
            rules.check_text(cls.field, name, most=rules.NAMESPACE_CHARACTERS) for name in value
        ]
