"""What a job is: its states, the claim to one attempt at it, and how that attempt ended."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

Status = Literal["pending", "running", "completed", "failed", "cancelled", "expired"]

UNFINISHED: frozenset[Status] = frozenset({"pending", "running"})


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A worker's right to one attempt at one job; `attempt` is the fencing token."""

    tenant_id: UUID
    job_id: str
    type: str
    attempt: int
    worker: str
    requested_at: float = field(default=0.0, compare=False)
    """When the worker asked for it, by the event loop's clock: its lease began no earlier."""

    @property
    def object_key(self) -> str:
        """Where this attempt writes; another attempt never touches it."""
        return f"{object_prefix(self.tenant_id, self.job_id)}{self.attempt}"


def object_prefix(tenant_id: UUID, job_id: str) -> str:
    """What the keys of all attempts at a job start with."""
    return f"{tenant_prefix(tenant_id)}{job_id}/"


def tenant_prefix(tenant_id: UUID) -> str:
    """What the keys of all files of a tenant start with."""
    return f"{tenant_id}/"


def qualify_needs(type_: str, words: Iterable[str]) -> list[str]:
    """Words of one type of job as the queue keeps them; the type itself is one of the needs."""
    return [type_, *(f"{type_} {word}" for word in sorted(words))]


@dataclass(frozen=True, kw_only=True)
class Job:
    """What the holder of a claim has to do, and how the attempts before ended."""

    request: str
    """As it was asked: JSON text."""
    namespaces: Sequence[str] | None
    """The limit of the token it was asked with; None: no limit."""
    token_id: UUID | None
    failures: int
    """Attempts that count against the job, this one included."""
    last_error: str | None


@dataclass(frozen=True)
class JobProgress:
    """How much of a job is done."""

    rows: int = 0
    size_bytes: int = 0


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a finished attempt gives, to be published."""

    rows: int
    size_bytes: int
    sha256: bytes | None = None
    object_key: str | None = None
    """The file, if there is one."""
    file_bytes: int | None = None
    file_sha256: bytes | None = None
    snapshot_at: int | None = None
    lifetime_ms: int | None = None
    """How long the file is kept; None: for ever."""
    parts: str | None = None
    """The files of a result that was split, as JSON text."""
    expired_rows: int | None = None
    """How many rows were left out because they had expired."""


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why an attempt came to nothing, for a person to act on."""

    reason: str
    code: str
    retryable: bool
    """Whether a new request may succeed."""
