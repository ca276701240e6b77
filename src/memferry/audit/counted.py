"""Entries that come too fast to be noted one by one: alike ones become one, with their number."""

from dataclasses import replace

from memferry.model.audit import Entry
from memferry.model.token import Caller

_KINDS = 1000


class Counted:
    """What was counted since it was last taken."""

    def __init__(self) -> None:
        self._entries: dict[tuple[Caller, Entry], Entry] = {}

    def __bool__(self) -> bool:
        return bool(self._entries)

    def add(self, caller: Caller, entry: Entry) -> None:
        """Count an entry with those of the same token and address that differ in detail only."""
        kind = replace(entry, size_bytes=None, detail=None)
        if (caller, kind) not in self._entries and len(self._entries) >= _KINDS:
            caller, kind = replace(caller, address=None), replace(kind, subject="several")
        known = self._entries.get((caller, kind), replace(kind, times=0))
        size_bytes = known.size_bytes
        if entry.size_bytes is not None:
            size_bytes = (size_bytes or 0) + entry.size_bytes
        self._entries[caller, kind] = replace(known, times=known.times + 1, size_bytes=size_bytes)

    def take(self) -> list[tuple[Caller, Entry]]:
        """Who did what how often; begins anew."""
        entries, self._entries = self._entries, {}
        return [(caller, entry) for (caller, _), entry in entries.items()]
