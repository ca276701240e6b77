"""Memories and changes of them that broke no rule, as they are stored."""

from dataclasses import dataclass

from msgspec import UNSET, UnsetType

DEFAULT_NAMESPACE = "default"
DEFAULT_SOURCE = "agent"


@dataclass(frozen=True, kw_only=True, slots=True)
class ValidMemory:
    """A new memory; metadata is JSON text."""

    content: str
    namespace: str
    tags: list[str]
    source: str
    source_ref: str | None
    metadata: str | None
    expires_at: int | None = None
    """Epoch ms; None: as long as its namespace says."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MovedRow:
    """A row of a bulk save, and its place among the others; times in epoch milliseconds."""

    index: int
    memory: ValidMemory
    created_at: int | None
    updated_at: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ValidChange:
    """A change of a memory; None: unchanged."""

    content: str | None
    tags: list[str] | None
    namespace: str | None
    metadata: str | None
    expires_at: int | UnsetType | None = UNSET
    """UNSET: unchanged; None: it never expires."""
