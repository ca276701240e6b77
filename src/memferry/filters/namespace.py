"""Only the memories of one namespace."""

from memferry.filters.base import Filter
from memferry.model import rules


class Namespace(Filter):
    """Exact and case-sensitive; no memory is in a namespace without a name."""

    field = "namespace"
    type = str
    condition = "namespace = $?::text"
    meaning = "only this namespace"
    help = "Only this namespace."
    example = "preferences"
    always_shown = True
    index_order = True

    @classmethod
    def check(cls, value: str) -> str:
        """The name; an empty one is refused, since an empty filter must not mean "all"."""
        return rules.check_text(cls.field, value, most=rules.NAMESPACE_CHARACTERS, least=1)
