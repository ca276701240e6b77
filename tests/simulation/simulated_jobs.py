"""The queue of jobs in memory, with the methods and the promises of the real one."""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from memferry.errors import DatabaseUnavailable
from memferry.model.job import UNFINISHED, Claim, Failure, Job, JobProgress, Result, Status
from memferry.model.token import Caller
from simulation.simulated import Process, Server


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of `jobs`; times in seconds by the database's clock, or in epoch ms."""

    tenant_id: UUID
    id: str
    created_at: float
    request: str
    needs: list[str]
    row_count: int
    type: str = "export"
    namespaces: list[str] | None = None
    status: Status = "pending"
    attempt: int = 0
    failures: int = 0
    leased_by: str | None = None
    leased_until: float = 0.0
    rows_done: int = 0
    bytes_done: int = 0
    sha256: bytes | None = None
    file_bytes: int | None = None
    file_sha256: bytes | None = None
    object_key: str | None = None
    snapshot_at: int | None = None
    expires_at: int | None = None
    error: str | None = None
    error_code: str | None = None
    retryable: bool | None = None
    last_error: str | None = None


@dataclass(frozen=True)
class By:
    """Who changes a row, and how."""

    method: str
    holder: tuple[int, str] | None = None
    """The attempt and the worker that say so, where only a holder can."""


class Observer:
    """Sees everything that happens to rows and objects, in the moment before it does."""

    def changes(self, before: Row, after: Row | None, by: By) -> None:
        """A row changes or goes."""

    def receives(self, key: str) -> None:
        """The store is given bytes of an upload."""

    def finishes(self, key: str, asked: float) -> None:
        """The store has all bytes of an upload; `asked` is when it wanted more of them."""

    def removes(self, key: str) -> None:
        """An object goes."""

    def aborts(self, key: str) -> None:
        """An upload goes, and not by the hand of its writer."""


_NO_LEASE: dict[str, Any] = {"leased_by": None, "leased_until": 0.0}


class Table:
    """All jobs there are; each method happens at once."""

    def __init__(self, clock: Callable[[], float], observer: Observer) -> None:
        """`clock` is the database's own, in seconds."""
        self.rows: dict[tuple[UUID, str], Row] = {}
        self.tenants: set[UUID] = set()
        self.turns: dict[UUID, int] = {}
        """The tenants that were served, and in which claim last."""
        self._clock = clock
        self._observer = observer

    def add(self, row: Row) -> None:
        """Queue a job."""
        self.tenants.add(row.tenant_id)
        self.rows[row.tenant_id, row.id] = row

    def now_ms(self) -> int:
        """What the SQL function of that name answers."""
        return int(self._clock() * 1000)

    def is_one_waiting(self) -> bool:
        """Whether there may be a job to claim."""
        return any(map(self._is_free, self.rows.values()))

    def claim(
        self, worker: str, seconds: float, abilities: Collection[str], most: int
    ) -> Row | None:
        """Give a worker the job whose turn it is, if any."""
        at_work = Counter(
            row.tenant_id
            for row in self.rows.values()
            if row.status == "running" and row.leased_until >= self._clock()
        )
        free = [
            row
            for row in self.rows.values()
            if set(row.needs) <= set(abilities)
            and at_work[row.tenant_id] < most
            and self._is_free(row)
        ]
        if not free:
            return None
        turns, number = self.turns, max(self.turns.values(), default=0) + 1

        def place(row: Row) -> tuple[object, ...]:
            tenant = row.tenant_id
            return at_work[tenant], turns.get(tenant, 0), row.created_at, row.id

        row = min(free, key=place)
        turns[row.tenant_id] = number
        return self._change(
            row,
            By("claim"),
            status="running",
            attempt=row.attempt + 1,
            failures=row.failures + 1,
            leased_by=worker,
            leased_until=self._clock() + seconds,
        )

    def read(self, claim: Claim) -> Job | None:
        """What the holder of a claim has to do."""
        row = self._find_held(claim)
        if row is None:
            return None
        return Job(
            request=row.request,
            namespaces=row.namespaces,
            token_id=None,
            failures=row.failures,
            last_error=row.last_error,
        )

    def renew(self, claim: Claim, seconds: float, progress: JobProgress) -> bool:
        """Keep a lease."""
        return self._change_held(
            claim,
            "renew",
            lambda row: {
                "leased_until": self._clock() + seconds,
                "rows_done": max(row.rows_done, progress.rows),
                "bytes_done": max(row.bytes_done, progress.size_bytes),
            },
        )

    def finish(self, claim: Claim, result: Result) -> bool:
        """Publish a result."""
        lifetime_ms = result.lifetime_ms
        return self._change_held(
            claim,
            "finish",
            lambda _: {
                "status": "completed",
                "row_count": result.rows,
                "rows_done": result.rows,
                "bytes_done": result.size_bytes,
                "sha256": result.sha256,
                "file_bytes": result.file_bytes,
                "file_sha256": result.file_sha256,
                "object_key": result.object_key,
                "snapshot_at": result.snapshot_at,
                "expires_at": None if lifetime_ms is None else self.now_ms() + lifetime_ms,
                **_NO_LEASE,
            },
        )

    def fail(self, claim: Claim, failure: Failure) -> bool:
        """End a job without a result."""
        why = {
            "error": failure.reason,
            "error_code": failure.code,
            "retryable": failure.retryable,
        }
        return self._change_held(claim, "fail", lambda _: {"status": "failed", **why, **_NO_LEASE})

    def release(self, claim: Claim, failure: Failure, pause: float) -> bool:
        """Let a job be claimed again; the attempt counts."""
        return self._change_held(
            claim,
            "release",
            lambda _: {"leased_until": self._clock() + pause, "last_error": failure.reason},
        )

    def hand_back(self, claim: Claim, pause: float) -> bool:
        """Let a job be claimed again; nothing counts."""
        return self._change_held(
            claim,
            "hand_back",
            lambda row: {"leased_until": self._clock() + pause, "failures": row.failures - 1},
        )

    def end(self, tenant_id: UUID, type_: str, job_id: str) -> bool:
        """Cancel a job that is not finished, or delete one that is."""
        row = self.rows.get((tenant_id, job_id))
        if row is None or row.type != type_:
            return False
        if row.status in UNFINISHED:
            self._change(row, By("cancel"), status="cancelled", **_NO_LEASE)
        else:
            self._observer.changes(row, None, By("delete"))
            del self.rows[tenant_id, job_id]
        return True

    def expire(self, limit: int) -> list[str | None]:
        """Expire what is due; the keys of the files."""
        timed = {row.id: row.expires_at for row in self.rows.values() if row.status == "completed"}
        due = [row for row in self.rows.values() if (timed.get(row.id) or 2**63) <= self.now_ms()]
        due = sorted(due, key=lambda row: timed[row.id] or 0)[:limit]
        for row in due:
            self._change(row, By("expire"), status="expired", object_key=None)
        return [row.object_key for row in due]

    def find_dead(self, objects: Sequence[tuple[str, UUID, str, int]]) -> set[str]:
        """The names of what no job needs."""
        return {
            name
            for name, tenant_id, job_id, attempt in objects
            if tenant_id in self.tenants
            and not _is_needed(self.rows.get((tenant_id, job_id)), name, attempt)
        }

    def _is_free(self, row: Row) -> bool:
        lapsed = row.status == "running" and row.leased_until < self._clock()
        return row.status == "pending" or lapsed

    def _find_held(self, claim: Claim) -> Row | None:
        row = self.rows.get((claim.tenant_id, claim.job_id))
        holder = ("running", claim.attempt, claim.worker)
        if row is None or (row.status, row.attempt, row.leased_by) != holder:
            return None
        return row

    def _change_held(
        self, claim: Claim, method: str, changes: Callable[[Row], dict[str, Any]]
    ) -> bool:
        row = self._find_held(claim)
        if row is None:
            return False
        self._change(row, By(method, (claim.attempt, claim.worker)), **changes(row))
        return True

    def _change(self, row: Row, by: By, **changes: Any) -> Row:
        after = replace(row, **changes)
        self._observer.changes(row, after, by)
        self.rows[row.tenant_id, row.id] = after
        return after


def _is_needed(row: Row | None, name: str, attempt: int) -> bool:
    if row is None:
        return False
    published = name == row.object_key or name.startswith(f"{row.object_key}.")
    running = row.status == "running" and row.attempt == attempt
    # What a job has still to read lies there under attempt 0.
    return published or running or (row.status in UNFINISHED and attempt == 0)


class SimulatedQueue:
    """What one process sees of the table: the methods of Queue, OwnedJobs and FinishedJobs."""

    def __init__(
        self,
        process: Process,
        server: Server,
        table: Table,
        *,
        lease_seconds: float,
        running_per_tenant: int = 5,
    ) -> None:
        self._process = process
        self._server = server
        self._table = table
        self._lease_seconds = lease_seconds
        self._running_per_tenant = running_per_tenant

    async def is_one_waiting(self) -> bool:
        """As Queue."""
        return await self._server.call(self._process, self._table.is_one_waiting)

    async def claim(self, worker: str, abilities: Collection[str]) -> Claim | None:
        """As Queue."""
        requested_at = asyncio.get_running_loop().time()
        arguments = (worker, self._lease_seconds, abilities, self._running_per_tenant)
        row = await self._server.call(self._process, self._table.claim, *arguments)
        if row is None:
            return None
        claim = Claim(
            tenant_id=row.tenant_id,
            job_id=row.id,
            type=row.type,
            attempt=row.attempt,
            worker=worker,
            requested_at=requested_at,
        )
        self._process.claim, self._process.at_work = claim, True
        return claim

    async def read(self, claim: Claim) -> Job | None:
        """As Queue."""
        return await self._server.call(self._process, self._table.read, claim)

    async def renew(self, claim: Claim, progress: JobProgress) -> bool:
        """As Queue."""
        arguments = (claim, self._lease_seconds, progress)
        return await self._server.call(self._process, self._table.renew, *arguments)

    async def finish(self, claim: Claim, result: Result) -> bool:
        """As Queue."""
        self._process.at_work = False
        return await self._server.call(self._process, self._table.finish, claim, result)

    async def fail(self, claim: Claim, failure: Failure) -> bool:
        """As Queue."""
        self._process.at_work = False
        return await self._server.call(self._process, self._table.fail, claim, failure)

    async def release(self, claim: Claim, failure: Failure, pause_seconds: float) -> bool:
        """As Queue."""
        self._process.at_work = False
        arguments = (claim, failure, pause_seconds)
        return await self._server.call(self._process, self._table.release, *arguments)

    async def hand_back(self, claim: Claim, pause_seconds: float = 0) -> bool:
        """As Queue."""
        self._process.at_work = False
        return await self._server.call(self._process, self._table.hand_back, claim, pause_seconds)

    async def end(self, caller: Caller, type_: str, job_id: str) -> bool:
        """As OwnedJobs."""
        arguments = (caller.tenant_id, type_, job_id)
        return await self._server.call(self._process, self._table.end, *arguments)

    async def expire(self, limit: int) -> Sequence[str | None]:
        """As FinishedJobs."""
        return await self._server.call(self._process, self._table.expire, limit)

    async def find_dead(self, objects: Sequence[tuple[str, UUID, str, int]]) -> set[str]:
        """As FinishedJobs."""
        return await self._server.call(self._process, self._table.find_dead, objects)


def database_lost() -> Exception:
    """What the queue raises when the server is away."""
    return DatabaseUnavailable()
