"""Named arguments of the client's methods, and how they travel."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias, TypedDict
from uuid import UUID

from msgspec import UNSET

from memferry.client.decrypt import Identities
from memferry.errors import Invalid
from memferry.model.times import count_epoch_ms

Id: TypeAlias = str | UUID
Moment: TypeAlias = int | datetime
"""Epoch milliseconds, or a datetime with a time zone."""


class FilterArguments(TypedDict, total=False):
    """The filters of lists, searches and exports; all that are given must match."""

    namespace: str | None
    tags: Sequence[str] | None
    metadata_filter: Mapping[str, Any] | None
    created_after: Moment | None
    created_before: Moment | None
    updated_after: Moment | None
    updated_before: Moment | None
    ids: Sequence[str] | None


class ExportArguments(FilterArguments, total=False):
    """The options of an export (docs/exports.md)."""

    format: str | None
    compression: str | None
    fields: Sequence[str] | None
    include: Sequence[str] | None
    csv_metadata: bool | None
    csv_safe: bool | None
    encrypt_to: str | None
    max_part_bytes: int | None


class ImportArguments(TypedDict, total=False):
    """The options of an import (docs/imports.md)."""

    format: str | None
    namespace: str | None
    tags: Sequence[str]
    conflict: str | None
    on_error: str | None
    dry_run: bool
    timezone: str | None
    per: str | None
    branches: bool
    folders: str | None
    identities: Identities | Path | str | None


def make_body(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Make a body of the arguments that were given; raises Invalid for a time without a zone."""
    return {
        name: _encode(name, value)
        for name, value in arguments.items()
        if value is not None and value is not UNSET
    }


def make_change(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Make the body of a change, in which null clears a field; raises as `make_body`."""
    return {name: _encode(name, value) for name, value in arguments.items() if value is not UNSET}


def make_list(values: Iterable[Any]) -> Any:
    """Make a list of values. A text stays one, and the service refuses it: no letter was meant."""
    return values if isinstance(values, str) else list(values)


def make_params(arguments: Mapping[str, object]) -> dict[str, str | Sequence[str]]:
    """Make a query string of the arguments that were given."""
    params = {name: _show(value) for name, value in arguments.items()}
    return {name: value for name, value in params.items() if value}


def _encode(name: str, value: Any) -> Any:
    if not isinstance(value, datetime):
        return value
    if value.tzinfo is None:
        raise Invalid(name, "the datetime has no time zone: datetime(..., tzinfo=UTC)")
    return count_epoch_ms(value)


def _show(value: object) -> str | Sequence[str]:
    """The value of an option as a query string has it; empty: not given."""
    if value is None or value is False:
        return ""
    if value is True:
        return "true"
    return [str(item) for item in value] if isinstance(value, list | tuple) else str(value)
