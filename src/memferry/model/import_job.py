"""What an import is: its row, with the report of what became of each record."""

from dataclasses import dataclass
from uuid import UUID

from memferry.model.job import Status, object_prefix


def name_upload(tenant_id: UUID, import_id: str) -> str:
    """The key of the file that was sent, as if attempt 0 had written it; workers count from 1."""
    return f"{object_prefix(tenant_id, import_id)}0"


@dataclass(frozen=True, kw_only=True)
class Import:
    """One row of `imports`; times in epoch ms, sizes in bytes."""

    id: str
    status: Status
    request: str
    """As it was asked: JSON text."""
    row_count: int
    """Memories that were created or changed."""
    rows_done: int
    """Records that the attempt has read so far."""
    bytes_done: int
    file_bytes: int
    file_sha256: bytes
    """Of the file as it was sent."""
    error: str | None
    error_code: str | None
    retryable: bool | None
    created_at: int
    completed_at: int | None
    object_key: str | None
    """The file of a dry run while it is kept."""
    report: str | None
    """JSON text; None while there is none."""
