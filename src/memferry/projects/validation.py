"""Checks of what clients say of a project; each raises Invalid or TooLarge with the field."""

from dataclasses import dataclass

from msgspec import UNSET, Raw, UnsetType

from memferry.errors import Invalid
from memferry.model import rules
from memferry.wire.projects import NewProject, ProjectChange

NAME_CHARACTERS = 200
DESCRIPTION_CHARACTERS = 2000
# A page holds up to 500 of them.
METADATA_BYTES = 16 * 1024
RETENTION_DAYS = 36_500


@dataclass(frozen=True, kw_only=True, slots=True)
class ValidProjectChange:
    """A change of a project; None: unchanged. Metadata is JSON text, to be merged."""

    name: str | None
    description: str | UnsetType | None
    """UNSET: unchanged; None: no description."""
    metadata: str | None
    archived: bool | None
    retention_days: int | UnsetType | None
    """UNSET: unchanged; None: for ever."""


def check_project(new: NewProject) -> tuple[str, str | None, str | None, int | None]:
    """Name, description, metadata and retention of a new project as they are stored."""
    return (
        _check_name(new.name),
        _check_description(new.description),
        None if new.metadata is UNSET else _check_metadata(new.metadata),
        _check_retention(new.retention_days),
    )


def check_project_change(change: ProjectChange) -> ValidProjectChange:
    """The values of a change as they are stored; a change of nothing is invalid."""
    if all(getattr(change, name) is UNSET for name in change.__struct_fields__):
        raise Invalid("body", f"give at least one of {', '.join(change.__struct_fields__)}")
    if change.metadata is not UNSET and bytes(change.metadata) == b"null":
        raise Invalid("metadata", "expected object, got null")
    description = change.description
    return ValidProjectChange(
        name=None if change.name is UNSET else _check_name(change.name),
        description=UNSET if description is UNSET else _check_description(description),
        metadata=None if change.metadata is UNSET else _check_metadata(change.metadata),
        archived=None if change.archived is UNSET else change.archived,
        retention_days=UNSET
        if change.retention_days is UNSET
        else _check_retention(change.retention_days),
    )


def _check_name(value: str) -> str:
    return rules.check_text("name", value, most=NAME_CHARACTERS, least=1)


def _check_description(value: str | None) -> str | None:
    if value is None:
        return None
    return rules.check_text("description", value, most=DESCRIPTION_CHARACTERS)


def _check_retention(value: int | None) -> int | None:
    if value is not None and not 1 <= value <= RETENTION_DAYS:
        raise Invalid("retention_days", f"expected 1 to {RETENTION_DAYS:,}, or null")
    return value


def _check_metadata(value: Raw) -> str | None:
    return rules.check_json_object("metadata", value, most_bytes=METADATA_BYTES)
