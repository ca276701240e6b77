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
    always_shown: ClassVar[bool] = False
    """Whether an export's `filters` name it also where it is not given: published clients know
    five fields."""
    option: ClassVar[str] = ""
    """Its option on the command line without dashes in front, if not named like the field."""
    help: ClassVar[str]
    """What the command line says of it."""
    index_order: ClassVar[bool] = False
    """Whether an index has the matching memories in the order of exports."""
    end: ClassVar[Literal["first", "last"] | None] = None
    """Which bound of created_at the value sets: the lower ("first") or the upper ("last")."""

    @classmethod
    @abstractmethod
    def check(cls, value: Any) -> object:
        """The value as the database takes it; raises Invalid that names the field."""
