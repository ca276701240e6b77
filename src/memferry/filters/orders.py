"""The orders of lists: by the time of creation or of the last change, in either direction."""

from dataclasses import dataclass
from typing import LiteralString
from uuid import UUID

_LATEST = 2**63 - 1


@dataclass(frozen=True)
class ListOrder:
    """An order by one time; the id breaks ties, and runs in the same direction."""

    time: LiteralString
    """The column with the time."""
    descending: bool

    @property
    def start(self) -> tuple[int, UUID]:
        """The place before the first row."""
        return (_LATEST, UUID(int=0)) if self.descending else (-1, UUID(int=0))

    def fill(self, statement: LiteralString) -> LiteralString:
        """The statement with its `{time}`, `{after}` and `{direction}` filled in."""
        after: LiteralString = "<" if self.descending else ">"
        direction: LiteralString = "DESC" if self.descending else "ASC"
        return (
            statement.replace("{time}", self.time)
            .replace("{after}", after)
            .replace("{direction}", direction)
        )


NEWEST = ListOrder("created_at", descending=True)
UPDATED = ListOrder("updated_at", descending=True)
ORDERS = {
    "newest": NEWEST,
    "oldest": ListOrder("created_at", descending=False),
    "updated_desc": UPDATED,
    "updated_asc": ListOrder("updated_at", descending=False),
}
"""Every order by its name in a request."""
