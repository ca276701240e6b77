"""The bodies and answers of changes and deletions of many memories; no field is ignored."""

from typing import Annotated

import msgspec

from memferry.wire.memories import MemoryChange, MemoryRow
from memferry.wire.schema import describe

BATCH_CHANGES = 200
BATCH_DELETIONS = 500


class NamedChange(MemoryChange, frozen=True, kw_only=True, omit_defaults=True):
    """A change of one memory of a batch: its id, and at least one other field."""

    id: Annotated[str, describe(format="uuid")]


class BatchChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Changes to make together."""

    updates: Annotated[list[NamedChange], describe(maxItems=BATCH_CHANGES)]


class ChangeFailure(msgspec.Struct, frozen=True, kw_only=True):
    """Why a memory was not changed."""

    index: Annotated[int, describe("of the change in `updates`")]
    id: Annotated[str | None, describe("as it was sent; null if none was")]
    error: str


class BatchChangeResult(msgspec.Struct, frozen=True, kw_only=True):
    """The number of changes that were made, why the others were not, and the changed memories."""

    updated: int
    failed: list[ChangeFailure]
    results: list[MemoryRow]


class BatchDeletion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Memories to delete together."""

    ids: Annotated[list[str], describe(maxItems=BATCH_DELETIONS)]


class BatchDeletionResult(msgspec.Struct, frozen=True, kw_only=True):
    """How many memories were deleted, and the ids that no memory has."""

    deleted: int
    missing: list[str]
