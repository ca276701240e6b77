"""What an export is: its states, the allowed changes between them, its row and its job."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

Status = Literal["pending", "running", "completed", "failed", "cancelled", "expired"]

ALLOWED_CHANGES: dict[Status, frozenset[Status]] = {
    "pending": frozenset({"running", "cancelled"}),
    "running": frozenset({"running", "completed", "failed", "cancelled"}),
    "completed": frozenset({"expired"}),
    "failed": frozenset(),
    "cancelled": frozenset(),
    "expired": frozenset(),
}
"""From which state an export may go to which; running to running is a new attempt."""

UNFINISHED: frozenset[Status] = frozenset({"pending", "running"})

INLINE_ROWS = 10_000
INLINE_BYTES = 32 * 1024 * 1024


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
    purged_at: int | None
    """When its bytes were removed because a memory they held was deleted."""
    payload_json: Sequence[bytes] | None = None
    """The whole export as one JSON string, if it was small."""

    @property
    def progress(self) -> float:
        """The part that is done, from 0 to 1; 1 only when completed."""
        if self.status in ("completed", "expired"):
            return 1.0
        return min(self.rows_done / max(self.row_count, 1), 0.999)


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A worker's right to one attempt at one export; `attempt` is the fencing token."""

    tenant_id: UUID
    export_id: str
    attempt: int
    worker: str
    asked: float = field(default=0.0, compare=False)
    """When it was asked for, by the event loop's clock: its lease began no earlier."""

    @property
    def object_key(self) -> str:
        """Where this attempt writes; another attempt never touches it."""
        return f"{object_prefix(self.tenant_id, self.export_id)}{self.attempt}"


def object_prefix(tenant_id: UUID, export_id: str) -> str:
    """What the keys of all attempts at an export start with."""
    return f"{tenant_prefix(tenant_id)}{export_id}/"


def tenant_prefix(tenant_id: UUID) -> str:
    """What the keys of all files of a tenant start with."""
    return f"{tenant_id}/"


@dataclass(frozen=True, kw_only=True)
class Job:
    """What the holder of a claim has to do, and how the attempts before ended."""

    request: str
    """As it was asked: JSON text."""
    namespaces: Sequence[str] | None
    """The limit of the token it was asked with; None: no limit."""
    failures: int
    """Attempts that count against the export, this one included."""
    last_error: str | None


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a finished attempt wrote, to be published."""

    rows: int
    size_bytes: int
    sha256: bytes
    file_bytes: int
    file_sha256: bytes
    snapshot_at: int


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why an export ended without a file, for a person to act on."""

    reason: str
    code: str
    retryable: bool
