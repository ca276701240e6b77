"""Checks of what clients save or change; each raises Invalid or TooLarge with the field."""

from msgspec import UNSET, Raw, UnsetType

from memferry.errors import Invalid
from memferry.model import rules
from memferry.model.memory import (
    DEFAULT_NAMESPACE,
    DEFAULT_SOURCE,
    MovedRow,
    ValidChange,
    ValidMemory,
)
from memferry.wire.memories import MemoryChange, MovedMemory, NewMemory


def check_memory(new: NewMemory) -> ValidMemory:
    """The values of a new memory as they are stored."""
    return ValidMemory(
        content=rules.check_content("content", new.content),
        namespace=_check_namespace(new.namespace),
        tags=rules.check_tags("tags", new.tags or []),
        source=rules.check_text(
            "source", new.source or DEFAULT_SOURCE, most=rules.SOURCE_CHARACTERS
        ),
        source_ref=None
        if new.source_ref is None
        else rules.check_text("source_ref", new.source_ref, most=rules.REFERENCE_CHARACTERS),
        metadata=_check_metadata(new.metadata),
        expires_at=None if new.expires_at is None else rules.check_expiry(new.expires_at),
    )


def check_moved_memory(moved: MovedMemory, index: int) -> MovedRow:
    """The values of one row of a bulk save, and its place among the rows."""
    for field, time in (("created_at", moved.created_at), ("updated_at", moved.updated_at)):
        if time is not None:
            rules.check_stored_time_ms(field, time)
    return MovedRow(
        index=index,
        memory=check_memory(moved),
        created_at=moved.created_at,
        updated_at=moved.updated_at,
    )


def check_change(change: MemoryChange) -> ValidChange:
    """The values of a change as they are stored; a change of nothing is invalid."""
    if all(getattr(change, name) is UNSET for name in MemoryChange.__struct_fields__):
        raise Invalid("body", "give at least one of content, tags, namespace, metadata, expires_at")
    if change.metadata is not UNSET and bytes(change.metadata) == b"null":
        raise Invalid("metadata", "expected object, got null")
    return ValidChange(
        content=None if change.content is UNSET else rules.check_content("content", change.content),
        tags=None if change.tags is UNSET else rules.check_tags("tags", change.tags),
        namespace=None if change.namespace is UNSET else _check_namespace(change.namespace),
        metadata=_check_metadata(change.metadata),
        expires_at=change.expires_at
        if change.expires_at is UNSET or change.expires_at is None
        else rules.check_expiry(change.expires_at),
    )


def _check_namespace(value: str | None) -> str:
    return rules.check_text(
        "namespace", value or DEFAULT_NAMESPACE, most=rules.NAMESPACE_CHARACTERS
    )


def _check_metadata(value: Raw | UnsetType) -> str | None:
    if value is UNSET:
        return None
    return rules.check_json_object("metadata", value, most_bytes=rules.METADATA_BYTES)
