"""Histories in rows of our own exports: checked, and as text for the staging table."""

from collections.abc import Collection
from typing import Literal

import msgspec
from msgspec import Raw, Struct

from memferry.errors import Invalid, NamespaceForbidden
from memferry.memories.validation import check_moved_memory
from memferry.model import rules, strict_json
from memferry.model.json_faults import translate_message
from memferry.model.json_text import MAX_DEPTH, merge_members
from memferry.wire.memories import MovedMemory

_LATEST_VERSION = 2**31 - 2


class FormerMemory(MovedMemory, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The state of a memory before a change, as an export tells it."""

    version: int
    namespace: str
    tags: list[str]
    source: str
    source_ref: str | None
    metadata: Raw
    created_at: int
    updated_at: int


class FormerEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One change of a memory, as an export tells it."""

    version: int
    at: int
    kind: Literal["update", "content_edit", "restore"]
    former: Raw


_entries = msgspec.json.Decoder(list[FormerEntry])
_former = msgspec.json.Decoder(FormerMemory)


class HistoryReader:
    """Checks histories by the rules of saves."""

    def __init__(self, namespace: str | None, allowed: Collection[str] | None) -> None:
        """`namespace` is where all records go, and `allowed` are those of the token; None: any."""
        self._namespace = namespace
        self._allowed = allowed

    def read(self, text: str) -> str | None:
        """The history as compact JSON text, None for an empty one.

        Raises Invalid, TooLarge or NamespaceForbidden, which name the entry.
        """
        packed = strict_json.compact("history", text.encode(), depth=MAX_DEPTH + 4)
        try:
            entries = _entries.decode(packed)
        except msgspec.ValidationError as fault:
            raise _name_entry("history", fault) from fault
        last = 1
        for entry in entries:
            _check_order(entry, last)
            last = entry.version
        return f"[{','.join(map(self._render, entries))}]" if entries else None

    def _render(self, entry: FormerEntry) -> str:
        former, field = bytes(entry.former), f"history[{entry.version}].former"
        try:
            state = _former.decode(former)
        except msgspec.ValidationError as fault:
            raise _name_entry(field, fault) from fault
        if state.version != entry.version - 1:
            raise Invalid(f"{field}.version", f"expected {entry.version - 1}")
        _check_former(state)
        if self._namespace is not None:
            patch = {"namespace": self._namespace}
            former = merge_members(former, msgspec.json.encode(patch))
        elif self._allowed is not None and state.namespace not in self._allowed:
            raise NamespaceForbidden(
                f"{field}.namespace", f"the token may not write to {state.namespace!r}"
            )
        head = msgspec.json.encode([entry.version, entry.at, entry.kind]).decode()
        version, at, kind = head[1:-1].split(",")
        return f'{{"version":{version},"at":{at},"kind":{kind},"former":{former.decode()}}}'


def _check_former(state: FormerMemory) -> None:
    """Check a former state as a memory is checked; its expiry may be over."""
    if state.expires_at is not None:
        rules.check_stored_time_ms("expires_at", state.expires_at)
    check_moved_memory(msgspec.structs.replace(state, expires_at=None), 0)


def _check_order(entry: FormerEntry, last: int) -> None:
    if not last < entry.version <= _LATEST_VERSION:
        raise Invalid("history", f"version {entry.version} does not follow version {last}")
    rules.check_stored_time_ms("history.at", entry.at)


def _name_entry(field: str, fault: msgspec.ValidationError) -> Invalid:
    invalid = translate_message(str(fault))
    return Invalid(f"{field}.{invalid.field}" if invalid.field else field, invalid.reason)
