"""The events and entries of the audit; no entry holds content."""

from dataclasses import dataclass
from typing import Literal, get_args

Event = Literal[
    "export.created",
    "export.completed",
    "export.failed",
    "export.cancelled",
    "export.deleted",
    "import.created",
    "import.completed",
    "import.failed",
    "import.cancelled",
    "import.deleted",
    "link.minted",
    "export.downloaded",
    "memory.deleted",
    "project.deleted",
    "token.created",
    "token.revoked",
    "request.denied",
]
EVENTS: tuple[Event, ...] = get_args(Event)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An audit entry without a change in the database; statements write the entries of changes."""

    event: Event
    outcome: str
    """`ok`, or a fixed word for the fault."""
    subject: str
    """An id or the pattern of an address; never text of a client."""
    size_bytes: int | None = None
    detail: str | None = None
    times: int = 1
    """The number of equal entries, which are counted if they come too fast."""
