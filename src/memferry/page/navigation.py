"""The entries of the navigation: shown to those who hold the scopes of their screens."""

from dataclasses import dataclass

from memferry.http.auth import Access
from memferry.model.token import Caller

READ = Access(("memories:read",))
WRITE = Access(("memories:write",))
CREATE_EXPORTS = Access(("exports:create",))
READ_EXPORTS = Access(("exports:read",), alternative="exports:create")


@dataclass(frozen=True)
class NavigationEntry:
    """One entry of the navigation; `g` and its key lead there."""

    path: str
    label: str
    key: str
    access: Access


ENTRIES = (
    NavigationEntry("/", "Home", "h", Access(())),
    NavigationEntry("/memories", "Memories", "m", READ),
    NavigationEntry("/threads", "Threads", "t", READ),
    NavigationEntry("/exports", "Exports", "e", READ_EXPORTS),
    NavigationEntry("/imports", "Imports", "i", WRITE),
    NavigationEntry("/settings", "Settings", "s", Access(())),
)


def list_entries(caller: Caller | None) -> list[NavigationEntry]:
    """The entries of the screens that a caller may see; none for nobody."""
    if caller is None:
        return []
    return [entry for entry in ENTRIES if entry.access.allows(caller)]
