"""Which namespaces a store has: chosen by their first and last labels, cut, and in order."""

from collections.abc import Iterable, Sequence
from typing import Any

from langgraph.store.base import ListNamespacesOp, MatchCondition

_ANY = "*"


def choose_namespaces(
    namespaces: Iterable[tuple[str, ...]], operation: ListNamespacesOp
) -> list[tuple[str, ...]]:
    """Choose the namespaces of one page; those that are equal once they are cut are one."""
    conditions = operation.match_conditions or ()
    chosen = {
        namespace[: operation.max_depth]
        for namespace in namespaces
        if all(_fits(namespace, condition) for condition in conditions)
    }
    return sorted(chosen)[operation.offset :][: operation.limit]


def _fits(namespace: Sequence[str], condition: MatchCondition) -> bool:
    # A path may be given as one text: tuples of one are easily forgotten.
    path: Any = condition.path
    path = (path,) if isinstance(path, str) else tuple(path)
    if len(path) > len(namespace):
        return False
    ends = condition.match_type == "suffix"
    part = namespace[len(namespace) - len(path) :] if ends else namespace[: len(path)]
    return all(wanted in (_ANY, label) for wanted, label in zip(path, part, strict=True))
