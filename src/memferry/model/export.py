"""What an export is: its row, and the limits of one that is answered at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from memferry.model.job import Status

INLINE_ROWS = 10_000
INLINE_BYTES = 32 * 1024 * 1024
LEAST_PART_BYTES = 1024 * 1024
MOST_PARTS = 1000
"""How many files one export may have."""


def part_key(object_key: str, number: int) -> str:
    """Where a part of an export is stored; the first one has the key of the export itself."""
    return object_key if number == 1 else f"{object_key}.part-{number:04}"


@dataclass(frozen=True, kw_only=True)
class Part:
    """One file of an export that was split; sizes in bytes, digests in hex."""

    rows: int
    content_bytes: int
    content_sha256: str
    file_bytes: int
    file_sha256: str


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What an export would be like."""

    rows: int
    size_bytes: int
    """Of the export before it is compressed and encrypted."""
    inline: bool
    """Whether the answer would hold it."""
    measured_rows: int | None = None
    """How many rows the size was estimated from; None: all of them were measured."""


@dataclass(frozen=True, kw_only=True)
class Preview:
    """The beginning of an export as text."""

    text: str
    is_whole: bool
    """Whether that is all of it."""


@dataclass(frozen=True, kw_only=True)
class Export:
    """One row of `exports`; times in epoch ms, sizes in bytes."""

    id: str
    status: Status
    format: str
    options: Mapping[str, Any]
    """Every way to change the file, by its field in a request."""
    filters: str
    """JSON text with exactly the five keys of the contract."""
    row_count: int
    rows_done: int
    bytes_done: int
    sha256: bytes | None
    file_bytes: int | None
    file_sha256: bytes | None
    """Of the file as it is stored; `bytes_done` and `sha256` are those of what it holds."""
    object_key: str | None
    error: str | None
    error_code: str | None
    retryable: bool | None
    created_at: int
    snapshot_at: int | None
    completed_at: int | None
    expires_at: int | None
    expired_rows: int | None
    """How many memories matched that had expired; they are not in it."""
    purged_at: int | None
    """When its bytes were removed because a memory they held was deleted."""
    token_id: UUID | None = None
    """Of whom it was asked; None: a program of the operator, or one without a token."""
    parts: Sequence[Part] | None = None
    """Its files in their order, if it was split."""
    payload_json: Sequence[bytes] | None = None
    """The whole export as one JSON string, if it was small."""

    @property
    def progress(self) -> float:
        """The part that is done, from 0 to 1; 1 only when completed."""
        if self.status in ("completed", "expired"):
            return 1.0
        return min(self.rows_done / max(self.row_count, 1), 0.999)
