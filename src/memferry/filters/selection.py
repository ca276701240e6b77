"""The given filters as one SQL condition with its values bound."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import LiteralString

from memferry.filters.base import Filter

_MARK = "{filters}"
_PLACEHOLDERS: tuple[LiteralString, ...] = (
    "$1", "$2", "$3", "$4", "$5", "$6", "$7", "$8", "$9", "$10", "$11", "$12", "$13", "$14", "$15",
)  # fmt: skip


@dataclass(frozen=True)
class Selection:
    """Which memories of a tenant are meant: every condition must hold; none means all."""

    conditions: tuple[LiteralString, ...]
    arguments: tuple[object, ...]
    in_order: bool = True
    """Whether an index has the matching memories in the order of exports."""
    first_ms: int | None = None
    last_ms: int | None = None
    """The ends of a span of `created_at`, where they are not among the conditions."""

    @classmethod
    def of(cls, chosen: Mapping[type[Filter], object]) -> "Selection":
        """The selection of these filters and their checked values."""
        return cls(
            tuple(each.condition for each in chosen),
            tuple(chosen.values()),
            all(each.in_order for each in chosen),
        )

    @classmethod
    def ranged(cls, chosen: Mapping[type[Filter], object]) -> "Selection":
        """The same for statements that compare each row with the ends of a range.

        The span stands apart, for these ends: beside a condition on `created_at` alone PostgreSQL
        would walk the index from that one's end to the other, whatever the comparison of rows says.
        """
        ends = {each.end: value for each, value in chosen.items() if isinstance(value, int)}
        others = {each: value for each, value in chosen.items() if each.end is None}
        return replace(cls.of(others), first_ms=ends.get("first"), last_ms=ends.get("last"))

    @property
    def listing(self) -> tuple[object, ...]:
        """What tells the rows of this selection from those of another."""
        return (*self.conditions, *self.arguments)

    def apply(
        self, statement: LiteralString, *leading: object
    ) -> "tuple[LiteralString, list[object]]":
        """The statement with its `{filters}` filled in, and all arguments: `leading` come first.

        Only text from this package becomes SQL; values are bound.
        """
        parts = [
            condition.replace("$?", _PLACEHOLDERS[len(leading) + index])
            for index, condition in enumerate(self.conditions)
        ]
        where = " AND ".join(parts) if parts else "TRUE"
        return statement.replace(_MARK, where), [*leading, *self.arguments]
