"""What a filter promises: a field of the request, and the SQL condition it stands for."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Literal, LiteralString


class Filter(ABC):
    """One way to choose memories; all given filters must hold (AND)."""

    field: ClassVar[LiteralString]
    """Its name in a request and in an export's `filters`."""
    type: ClassVar[Any]
    """What the request's JSON must hold there."""
    condition: ClassVar[LiteralString]
    """A condition over the view `memories`; `$?` stands for the value."""
    meaning: ClassVar[str]
    example: ClassVar[Any] = None
    """A value for the description of the API."""
    in_order: ClassVar[bool] = False
    """Whether an index has what it lets through in the order of exports."""
    end: ClassVar[Literal["first", "last"] | None] = None
    """Of the order of exports, if the value is the first or the last `created_at` let through."""

    @classmethod
    @abstractmethod
    def check(cls, value: Any) -> object:
        """The value as the database takes it; raises Invalid that names the field."""
