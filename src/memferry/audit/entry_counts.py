"""Counts of audit entries that come too fast to be written one by one."""

from dataclasses import replace

from memferry.model.audit import Entry
from memferry.model.token import Caller

_KINDS = 1000


class EntryCounts:
    """One entry for each kind of entry since the last `take`, with the number of them."""

    def __init__(self) -> None:
        self._entries: dict[tuple[Caller, Entry], Entry] = {}

    def __bool__(self) -> bool:
        return bool(self._entries)

    def add(self, caller: Caller, entry: Entry) -> None:
        """Count an entry; a kind is a token, an address, an event, an outcome and a subject.

        Beyond 1,000 kinds, entries of a token are counted without address and subject.
        """
        kind = replace(entry, size_bytes=None, detail=None)
        if (caller, kind) not in self._entries and len(self._entries) >= _KINDS:
            caller, kind = replace(caller, address=None), replace(kind, subject="several")
        counted = self._entries.get((caller, kind), replace(kind, times=0))
        size_bytes = counted.size_bytes
        if entry.size_bytes is not None:
            size_bytes = (size_bytes or 0) + entry.size_bytes
        times = counted.times + 1
        self._entries[caller, kind] = replace(counted, times=times, size_bytes=size_bytes)

    def take(self) -> list[tuple[Caller, Entry]]:
        """Hand out all entries, and start again from zero."""
        entries, self._entries = self._entries, {}
        return [(caller, entry) for (caller, _), entry in entries.items()]
