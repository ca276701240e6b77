"""The changes of a memory as its screen tells them: what changed, and what was before."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
import msgspec
from msgspec import Raw

from memferry.page.rows import ShownMemory

_FIELDS = ("content", "namespace", "tags", "source", "source_ref", "metadata", "expires_at")
_former = msgspec.json.Decoder(dict[str, Raw])


@dataclass(frozen=True, kw_only=True)
class ChangeItem:
    """One entry of the history."""

    version: int
    at: int
    kind: str
    via: str | None
    fields: Sequence[str]
    """The fields that differ from the version before."""
    former: "FormerVersion | None"


@dataclass(frozen=True, kw_only=True)
class FormerVersion:
    """What a change has replaced."""

    version: int
    content: str
    tags: Sequence[str]
    namespace: str
    metadata: str


def describe_changes(
    changes: Sequence[asyncpg.Record], row: ShownMemory | None
) -> list[ChangeItem]:
    """Describe changes, newest first; `row` is what the newest has made."""
    after = None if row is None else _show_state(row)
    items = []
    for change in changes:
        before = None if change["former"] is None else _former.decode(change["former"])
        items.append(_describe_change(change, before, after))
        after = before
    return items


def _show_state(row: ShownMemory) -> dict[str, Raw]:
    return {
        name: value if isinstance(value, Raw) else Raw(msgspec.json.encode(value))
        for name in _FIELDS
        if (value := getattr(row, name)) is not None or name != "expires_at"
    }


def _describe_change(
    change: asyncpg.Record, before: dict[str, Raw] | None, after: dict[str, Raw] | None
) -> ChangeItem:
    fields: list[str] = []
    if before is not None and after is not None:
        fields = [name for name in _FIELDS if _read(before, name) != _read(after, name)]
    return ChangeItem(
        version=change["version"],
        at=change["changed_at"],
        kind=change["kind"],
        via=change["via"],
        fields=fields,
        former=None if before is None else _make_former(before),
    )


def _make_former(state: dict[str, Raw]) -> FormerVersion:
    metadata = bytes(state["metadata"]).decode()
    return FormerVersion(
        version=_read(state, "version"),
        content=_read(state, "content"),
        tags=_read(state, "tags"),
        namespace=_read(state, "namespace"),
        metadata="" if metadata == "null" else metadata,
    )


def _read(state: dict[str, Raw], name: str) -> Any:
    """A field's value; of metadata its text, whose numbers keep their digits."""
    value = state.get(name, Raw(b"null"))
    return bytes(value) if name == "metadata" else msgspec.json.decode(value)
