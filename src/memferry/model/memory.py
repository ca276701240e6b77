"""What a client sends to save, change or find memories; unknown fields are passed over."""

import msgspec
from msgspec import UNSET, Raw, UnsetType

from memferry.errors import Invalid
from memferry.model import rules

DEFAULT_NAMESPACE = "default"
DEFAULT_SOURCE = "agent"
_NULL = Raw(b"null")


class NewMemory(msgspec.Struct, frozen=True, kw_only=True):
    """A memory to save. `created_at` and `updated_at` count only where rows move in bulk."""

    content: str
    namespace: str | None = None
    tags: list[str] | None = None
    source: str | None = None
    source_ref: str | None = None
    metadata: Raw = _NULL

    def checked(self) -> "Checked":
        """The values as they are stored; raises Invalid or TooLarge."""
        return Checked(
            content=rules.check_content("content", self.content),
            namespace=_namespace(self.namespace),
            tags=rules.check_tags("tags", self.tags or []),
            source=rules.check_text(
                "source", self.source or DEFAULT_SOURCE, most=rules.SOURCE_CHARACTERS
            ),
            source_ref=None
            if self.source_ref is None
            else rules.check_text("source_ref", self.source_ref, most=rules.REFERENCE_CHARACTERS),
            metadata=_metadata(self.metadata),
        )


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """A new memory that broke no rule; metadata is JSON text."""

    content: str
    namespace: str
    tags: list[str]
    source: str
    source_ref: str | None
    metadata: str | None


class MovedMemory(NewMemory, frozen=True, kw_only=True):
    """A memory that comes from elsewhere and keeps its times, epoch milliseconds."""

    created_at: int | None = None
    updated_at: int | None = None

    def moved(self, index: int) -> "MovedRow":
        """The values as they are stored; raises as `checked`."""
        for field, given in (("created_at", self.created_at), ("updated_at", self.updated_at)):
            if given is not None:
                rules.check_stored_time_ms(field, given)
        return MovedRow(
            index=index,
            memory=self.checked(),
            created_at=self.created_at,
            updated_at=self.updated_at,
        )


class MovedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a bulk save that broke no rule, and its place among the others."""

    index: int
    memory: Checked
    created_at: int | None
    updated_at: int | None


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What to change in a memory; what is not given stays."""

    content: str | UnsetType = UNSET
    tags: list[str] | UnsetType = UNSET
    namespace: str | UnsetType = UNSET
    metadata: Raw | UnsetType = UNSET

    def checked(self) -> "CheckedChange":
        """The values as they are stored.

        Raises Invalid or TooLarge, also when there is nothing to change.
        """
        if all(getattr(self, name) is UNSET for name in self.__struct_fields__):
            raise Invalid("body", "give at least one of content, tags, namespace, metadata")
        if self.metadata is not UNSET and bytes(self.metadata) == b"null":
            raise Invalid("metadata", "expected object, got null")
        return CheckedChange(
            content=None if self.content is UNSET else rules.check_content("content", self.content),
            tags=None if self.tags is UNSET else rules.check_tags("tags", self.tags),
            namespace=None if self.namespace is UNSET else _namespace(self.namespace),
            metadata=None if self.metadata is UNSET else _metadata(self.metadata),
        )


class CheckedChange(msgspec.Struct, frozen=True, kw_only=True):
    """A change that breaks no rule; None: unchanged."""

    content: str | None
    tags: list[str] | None
    namespace: str | None
    metadata: str | None


class BulkSearch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Several searches with the same filters; a misspelt filter must not be dropped."""

    queries: list[str]
    k: object = None
    namespace: str | None = None
    tags: list[str] | None = None
    created_after: int | None = None
    created_before: int | None = None
    metadata_filter: Raw = _NULL
    # What published clients send beside these; without effect.
    recall: object = None
    source: object = None
    include: object = None
    entity: object = None


def _namespace(value: str | None) -> str:
    return rules.check_text(
        "namespace", value or DEFAULT_NAMESPACE, most=rules.NAMESPACE_CHARACTERS
    )


def _metadata(value: Raw) -> str | None:
    return rules.check_json_object("metadata", value, most_bytes=rules.METADATA_BYTES)
