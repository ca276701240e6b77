"""The bodies and answers of the history of a memory."""

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from memferry.wire.schema import Json, NextCursor, describe

_Version = Annotated[int, describe(minimum=1, example=1)]


class FormerState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A memory as it was; times in epoch milliseconds UTC."""

    version: _Version
    content: str
    namespace: str
    tags: list[str]
    source: str
    source_ref: str | None
    metadata: Json | None
    created_at: int
    updated_at: int
    expires_at: int | UnsetType = UNSET


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One change of a memory."""

    version: Annotated[int, describe("of the memory, as this change left it", minimum=1)]
    at: int
    kind: Literal["create", "update", "content_edit", "restore", "delete"]
    via: Annotated[
        str | None,
        describe("api, batch, project, restore, import, expiry or operator; null for create"),
    ]
    by_user: Annotated[UUID | None, describe("the same as by_token: a token is its user")]
    by_token: Annotated[UUID | None, describe("the id of the token; null where there was none")]
    prev_content_len: Annotated[
        int | None, describe("characters of the content before; null for create")
    ]
    former_bytes: Annotated[int | None, describe("size of the former state as JSON")]
    former: Annotated[
        FormerState | None,
        describe(
            "the state before the change, until the memory is deleted; also null where it is too "
            "large for this answer: ask with version"
        ),
    ]


class History(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The changes of one memory, oldest first."""

    memory_id: UUID
    history: list[Change]
    next_cursor: NextCursor = None


class Restoration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which version to bring back."""

    version: _Version
