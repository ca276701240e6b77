"""What is noted in the audit: events by name, and no content."""

from dataclasses import dataclass
from typing import Literal, get_args

Event = Literal[
    "export.created",
    "export.completed",
    "export.failed",
    "export.cancelled",
    "export.deleted",
    "link.minted",
    "export.downloaded",
    "memory.deleted",
    "token.created",
    "token.revoked",
    "request.denied",
]
EVENTS: tuple[Event, ...] = get_args(Event)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One that belongs to no change of the database; the statements of changes note their own."""

    event: Event
    outcome: str
    """`ok`, or a word of ours for what went wrong."""
    subject: str
    """An id or the pattern of an address, nothing a client has written."""
    size_bytes: int | None = None
    detail: str | None = None
    times: int = 1
    """How often: entries that come too fast are counted."""
