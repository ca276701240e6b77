"""What an export is: its states, the allowed changes between them, and its row."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

Status = Literal["pending", "running", "completed", "failed"]

ALLOWED_CHANGES: dict[Status, frozenset[Status]] = {
    "pending": frozenset({"running"}),
    "running": frozenset({"running", "completed", "failed"}),
    "completed": frozenset(),
    "failed": frozenset(),
}
"""From which state an export may go to which; running to running is a new attempt."""

INLINE_ROWS = 10_000
INLINE_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Export:
    """One row of `exports`; times in epoch ms, sizes in bytes."""

    id: str
    status: Status
    format: str
    filters: str
    """JSON text with exactly the five keys of the contract."""
    row_count: int
    rows_done: int
    bytes_done: int
    sha256: bytes | None
    object_key: str | None
    error: str | None
    created_at: int
    completed_at: int | None
    payload: bytes | None = None


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A worker's right to one attempt at one export; `attempt` is the fencing token."""

    tenant_id: UUID
    export_id: str
    attempt: int
    worker: str

    @property
    def object_key(self) -> str:
        """Where this attempt writes; another attempt never touches it."""
        return f"{self.tenant_id}/{self.export_id}/{self.attempt}"
