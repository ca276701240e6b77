"""Every promise about the life of an export, checked in the moment in which it could be broken."""

from collections import Counter
from collections.abc import Callable
from uuid import UUID

from memferry.errors import (
    DatabaseUnavailable,
    SnapshotTooOld,
    StorageUnavailable,
    WorkerLost,
    WrongBytes,
)
from memferry.jobs.retry import RetryPolicy
from memferry.model.job import UNFINISHED, object_prefix
from simulation.simulated import Chance, Process
from simulation.simulated_jobs import By, Observer, Row, Table
from simulation.simulated_reader import memories
from simulation.simulated_store import Objects
from support.states import ALLOWED_CHANGES

EPOCH_SECONDS = 1_700_000_000.0
"""When virtual time begins, by the database's clock."""
LEASE_SECONDS, SNAPSHOT_SECONDS = 3, 6
POLICY = RetryPolicy(attempts=3, first_pause=0.5)
FOREIGN = ("somebody/else", f"{UUID(int=999)}/{'0' * 26}/1")
"""Objects that are no export's."""
_FAULTS = (DatabaseUnavailable, SnapshotTooOld, StorageUnavailable, WorkerLost, WrongBytes)
_CODES = {str(fault()): fault.code for fault in _FAULTS}
REASONS = set(_CODES.values())
"""Why an attempt may come to nothing."""


class Judge(Observer):
    """Notes every broken promise, in the moment it is broken."""

    def __init__(self, clock: Callable[[], float], chance: Chance) -> None:
        """`clock` is the database's."""
        self.broken: list[str] = []
        self.history: list[tuple[float, str, str, int]] = []
        self.seen: Counter[str] = Counter()
        self.published: dict[tuple[UUID, str], str] = {}
        self.cancelled_at: dict[tuple[UUID, str], float] = {}
        self.let_go: dict[tuple[UUID, str, int], str] = {}
        """How attempts gave their leases back."""
        self.processes: dict[str, Process] = {}
        self._clock = clock
        self.table = Table(clock, self)
        self.store = Objects(chance, self)

    def expect(self, claim: object, promise: str, what: object) -> None:
        """Note the promise as broken unless the claim is true."""
        if not claim:
            self.broken.append(f"{promise}, but at {self._clock() - EPOCH_SECONDS:.3f} s: {what}")

    def changes(self, before: Row, after: Row | None, by: By) -> None:
        if after is None:
            self.expect(before.status not in UNFINISHED, "only what is over is deleted", before)
            return
        self.history.append((self._clock(), after.id, after.status, after.attempt))
        self.seen[after.status] += 1
        holder = (before.attempt, before.leased_by)
        own = by.holder in (None, holder)
        self.expect(own, f"only the holder changes an export, not {by}", before)
        if (before.status, before.attempt) != (after.status, after.attempt):
            allowed = after.status in ALLOWED_CHANGES[before.status]
            self.expect(allowed, f"nothing else becomes {after.status}", before)
        if after.attempt != before.attempt and before.status == "running":
            over = before.leased_until < self._clock()
            self.expect(over, "a lease that holds is not given to another", before)
            self._lapses(before)
        self.expect(after.rows_done >= before.rows_done, "progress never goes back", before)
        self._ends(before, after, by)

    def _ends(self, before: Row, after: Row, by: By) -> None:
        key = (after.tenant_id, after.id)
        if by.method in ("release", "hand_back"):
            self.let_go[(*key, before.attempt)] = by.method
            known = after.last_error in {None, *_CODES}
            self.expect(known, "an attempt ends for a known reason", after)
            self.seen[_CODES.get(after.last_error or "", "")] += 1
        if after.status == "cancelled":
            self.cancelled_at[key] = self._clock()
        elif after.status == "completed":
            self.expect(key not in self.published, "only one attempt publishes", before)
            self.published[key] = after.object_key or ""
            own = after.object_key == _key(before)
            self.expect(own, "an attempt publishes its own file", after)
            self._check_file(after)
        elif after.status == "failed":
            self._check_failure(after)

    def _check_file(self, row: Row) -> None:
        data = self.store.objects.get(row.object_key or "")
        wanted = b"".join(memories(_namespace(row), row.snapshot_at or 0))
        self.expect(data == wanted, "what is published is there, byte by byte", (row, data))
        same = (row.bytes_done, row.rows_done) == (len(wanted), wanted.count(b"\n"))
        self.expect(same, "a row counts what its file holds", row)

    def _check_failure(self, row: Row) -> None:
        explained = row.error and row.error_code and row.retryable is not None
        self.expect(explained, "a failed export says why", row)
        self.expect(row.error_code in REASONS, "an export fails for a known reason", row)
        lost = row.error_code == WorkerLost.code
        used_up = row.failures >= POLICY.attempts + lost
        used_up = used_up or row.error_code == SnapshotTooOld.code
        self.expect(used_up, "an export fails only after its last attempt", row)
        said = self.let_go.get((row.tenant_id, row.id, row.attempt - 1)) == "release"
        self.expect(not (lost and said), "a reason that was given last is not lost", row)
        self.seen[row.error_code or ""] += 1

    def receives(self, key: str) -> None:
        row, attempt = self._writer(key)
        if row is None or row.status not in UNFINISHED:
            return
        allowed = row.failures <= POLICY.attempts
        self.expect(allowed, "there are no more attempts than were allowed", row)
        held = row.attempt == attempt and row.leased_until >= self._clock()
        self.expect(held, f"bytes for {key} come only while its lease holds", row)

    def finishes(self, key: str, asked: float) -> None:
        self.receives(key)
        row, _ = self._writer(key)
        if row is not None and row.status == "cancelled":
            ended = self.cancelled_at[row.tenant_id, row.id] - EPOCH_SECONDS
            self.expect(ended >= asked, "no upload is finished for a cancelled export", row)

    def removes(self, key: str) -> None:
        row, _ = self._writer(key)
        wanted = row is not None and row.object_key == key
        self.expect(not wanted, "a published file stays", row)
        self.expect(key not in FOREIGN, "what is not ours stays", key)

    def aborts(self, key: str) -> None:
        row, attempt = self._writer(key)
        alive = row is not None and (row.status, row.attempt) == ("running", attempt)
        self.expect(not alive, "an upload goes on while its attempt does", row)

    def _lapses(self, row: Row) -> None:
        holder = self.processes[row.leased_by or ""]
        another = holder.claim is None or holder.claim.object_key != _key(row)
        excused = another or holder.dead or holder.disturbed or not holder.at_work
        self.expect(excused, f"{holder.name} keeps its lease while it works", row)

    def leaves(self, process: Process) -> None:
        """A worker that nothing disturbed has ended an attempt: only a published file stays."""
        if process.claim is None or process.dead or process.disturbed:
            return
        key = process.claim.object_key
        kept = self.published.get((process.claim.tenant_id, process.claim.job_id)) == key
        tidy = kept or key not in self.store.objects
        self.expect(tidy, "an attempt that came to nothing removes its file", key)
        uploads = [upload for upload, _ in self.store.uploads.values()]
        self.expect(key not in uploads, "an attempt that is over has no upload", key)
        row, attempt = self._writer(key)
        if row is not None and (row.status, row.attempt) == ("running", attempt):
            told = (row.tenant_id, row.id, attempt) in self.let_go
            self.expect(told, "a worker says how its attempt ended", row)
        if row is not None and row.status == "cancelled":
            late = self._clock() - self.cancelled_at[row.tenant_id, row.id]
            self.expect(late < LEASE_SECONDS, "a cancelled export is let go soon", row)

    def stops(self, process: Process) -> None:
        """A worker ended as it was asked to: what it worked on is free again."""
        if process.claim is None or process.dead or process.disturbed:
            return
        row, attempt = self._writer(process.claim.object_key)
        if row is not None and (row.status, row.attempt) == ("running", attempt):
            said = self.let_go.get((row.tenant_id, row.id, attempt))
            free = said == "release" or row.leased_until <= self._clock()
            self.expect(free, f"{process.name} gives back what it has when it stops", row)
            self.seen["handed back"] += 1

    def verdict(self) -> None:
        """Look at everything once it is quiet, after a last sweep."""
        kept = set(FOREIGN)
        for row in self.table.rows.values():
            self.expect(row.status not in UNFINISHED, "every export ends", row)
            if row.status == "completed":
                self._check_file(row)
                kept |= {row.object_key or "", f"{row.object_key}.sha256"}
        stored = self.store.objects.keys()
        self.expect(stored == kept, "the files of completed exports stay, and no others", stored)
        uploads = self.store.uploads
        self.expect(not uploads, "no unfinished upload stays", uploads)

    def _writer(self, key: str) -> tuple[Row | None, int]:
        tenant_id, export_id, attempt = key.rsplit("/", 2) if key.count("/") == 2 else ("", "", 0)
        found = [
            row
            for row in self.table.rows.values()
            if (str(row.tenant_id), row.id) == (tenant_id, export_id)
        ]
        # What is named after a file belongs to the same attempt.
        return (found[0] if found else None), int(str(attempt).partition(".")[0])


def _key(row: Row) -> str:
    """What its present attempt writes."""
    return f"{object_prefix(row.tenant_id, row.id)}{row.attempt}"


def _namespace(row: Row) -> str:
    return row.request.split('"')[-2]
