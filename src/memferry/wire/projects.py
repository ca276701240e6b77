"""The bodies and answers of projects; no field is ignored."""

from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import UNSET, Raw, UnsetType

from memferry.wire.schema import Json, JsonText, NextCursor, describe

_Retention = describe(
    "how long memories are kept that are saved here without an expiry; null: for ever",
    minimum=1,
    maximum=36_500,
)


class NewProject(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """A project to create."""

    name: Annotated[
        str, describe("its namespace", example="client-acme", minLength=1, maxLength=200)
    ]
    description: Annotated[
        str | None, describe("what it is for", example="Notes of the Acme engagement.")
    ] = None
    metadata: Annotated[
        JsonText | UnsetType, describe("any JSON object", example={"color": "purple"})
    ] = UNSET
    retention_days: Annotated[int | None, _Retention] = None


class ProjectChange(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """A change of a project: at least one field; the others stay."""

    name: Annotated[str | UnsetType, describe("moves its memories", maxLength=200)] = UNSET
    description: Annotated[
        str | UnsetType | None, describe("null clears it", example="Notes of the Acme work.")
    ] = UNSET
    metadata: Annotated[Raw | UnsetType, describe("merged; null removes a key", type="object")] = (
        UNSET
    )
    archived: Annotated[bool | UnsetType, describe("a mark, which changes nothing else")] = UNSET
    retention_days: Annotated[int | UnsetType | None, _Retention] = UNSET


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """A namespace with a description; times in epoch milliseconds UTC."""

    id: UUID
    name: Annotated[str, describe("its namespace", example="client-acme")]
    description: str | None
    metadata: Json
    memory_count: int
    archived_at: int | None
    created_at: int
    updated_at: Annotated[int, describe("of the project, or of the memory that changed last")]
    retention_days: Annotated[int | None, _Retention]


class ProjectPage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Projects, the most recently active first."""

    projects: list[Project]
    next_cursor: NextCursor = None
