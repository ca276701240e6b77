"""The given filters as one SQL condition with its values bound."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import LiteralString

from memferry.filters.base import Filter

_MARK = "{filters}"
_PLACEHOLDERS: tuple[LiteralString, ...] = (
    "$1", "$2", "$3", "$4", "$5", "$6", "$7", "$8", "$9", "$10", "$11", "$12", "$13", "$14", "$15",
    "$16", "$17", "$18", "$19", "$20", "$21", "$22", "$23",
)  # fmt: skip


@dataclass(frozen=True)
class Selection:
    """A subset of a tenant's memories: every condition must hold; without conditions all."""

    conditions: tuple[LiteralString, ...]
    arguments: tuple[object, ...]
    index_order: bool = True
    """Whether an index has the matching memories in the order of exports."""
    first_ms: int | None = None
    last_ms: int | None = None
    """The bounds of `created_at`, both inclusive, where they are not among the conditions."""

    @classmethod
    def for_scan(cls, values: Mapping[type[Filter], object]) -> "Selection":
        """The selection of these filters and their checked values."""
        return cls(
            tuple(filter_.condition for filter_ in values),
            tuple(values.values()),
            all(filter_.index_order for filter_ in values),
        )

    @classmethod
    def for_range(cls, values: Mapping[type[Filter], object]) -> "Selection":
        """The same memories, for statements that compare each row with the ends of a range.

        Bounds of `created_at` become those ends: beside a condition on `created_at` alone
        PostgreSQL would walk the index to the bound of that condition, not to the end of the range.
        """
        bounds = {filter_.end: value for filter_, value in values.items() if isinstance(value, int)}
        others = {filter_: value for filter_, value in values.items() if filter_.end is None}
        return replace(
            cls.for_scan(others), first_ms=bounds.get("first"), last_ms=bounds.get("last")
        )

    @property
    def listing(self) -> tuple[object, ...]:
        """Tells the rows of this selection from those of another."""
        return (*self.conditions, *self.arguments)

    def fill(
        self, statement: LiteralString, *leading: object
    ) -> "tuple[LiteralString, list[object]]":
        """The statement with its `{filters}` filled in, and all arguments: `leading` come first.

        Only text of this package becomes SQL; values are bound.
        """
        conditions = [
            condition.replace("$?", _PLACEHOLDERS[len(leading) + index])
            for index, condition in enumerate(self.conditions)
        ]
        where = " AND ".join(conditions) if conditions else "TRUE"
        return statement.replace(_MARK, where), [*leading, *self.arguments]
