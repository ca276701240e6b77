"""The table `exports` in memory, with the promises of the statements over it."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from memferry.database.sql import sql
from memferry.model.export import UNFINISHED, Status


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of `exports`; times in seconds by the database's clock, or in epoch ms."""

    tenant_id: UUID
    id: str
    created_at: float
    request: str
    needs: list[str]
    row_count: int
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
    expires_at: int = 0
    error: str | None = None
    error_code: str | None = None
    retryable: bool | None = None
    last_error: str | None = None


@dataclass(frozen=True)
class By:
    """Who changes a row, and how."""

    statement: str
    holder: tuple[int, str] | None = None
    """The attempt and the worker that say so, where only a holder can."""


class Watch:
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


Answer = list[dict[str, Any]]


class Rows:
    """The tables `exports` and `job_turns`, and what the statements over them answer at once."""

    def __init__(self, clock: Callable[[], float], watch: Watch) -> None:
        """`clock` is the database's own, in seconds."""
        self.rows: dict[tuple[UUID, str], Row] = {}
        self.tenants: set[UUID] = set()
        self.turns: dict[UUID, int] = {}
        """The tenants that were served, and in which claim last."""
        self._clock = clock
        self._statement = ""
        self._watch = watch

    def run(self, statement: str, tenant_id: UUID | None, arguments: Iterable[Any]) -> Answer:
        """Run a statement of memferry; the tenant is the one whose rows the views show."""
        tenant = () if tenant_id is None else (tenant_id,)
        self._statement = _STATEMENTS[statement]
        answer: Answer = getattr(self, self._statement.partition("/")[2])(*tenant, *arguments)
        return answer

    def add(self, row: Row) -> None:
        """Queue an export."""
        self.tenants.add(row.tenant_id)
        self.rows[row.tenant_id, row.id] = row

    def now_ms(self) -> int:
        """What the SQL function of that name answers."""
        return int(self._clock() * 1000)

    def read_snapshot_time(self, _tenant_id: UUID) -> Answer:
        return [{"floor": self.now_ms()}]

    def find_waiting_export(self) -> Answer:
        now = self._clock()
        waiting = any(
            row.status == "pending" or (row.status == "running" and row.leased_until < now)
            for row in self.rows.values()
        )
        return [{"exists": waiting}]

    def claim_export(self, worker: str, seconds: float, abilities: list[str], most: int) -> Answer:
        now = self._clock()
        at_work = Counter(
            row.tenant_id
            for row in self.rows.values()
            if row.status == "running" and row.leased_until >= now
        )
        free = [
            row
            for row in self.rows.values()
            if set(row.needs) <= set(abilities)
            and at_work[row.tenant_id] < most
            and (row.status == "pending" or (row.status == "running" and row.leased_until < now))
        ]
        if not free:
            return []
        turns, number = self.turns, max(self.turns.values(), default=0) + 1

        def place(row: Row) -> tuple[object, ...]:
            tenant = row.tenant_id
            return at_work[tenant], turns.get(tenant, 0), row.created_at, row.id

        row = min(free, key=place)
        turns[row.tenant_id] = number
        return self._change(
            row,
            None,
            status="running",
            attempt=row.attempt + 1,
            failures=row.failures + 1,
            leased_by=worker,
            leased_until=now + seconds,
        )

    def get_job(self, *claim: Any) -> Answer:
        row = self._held(*claim)
        names = ("request", "namespaces", "failures", "last_error")
        return [] if row is None else [{name: getattr(row, name) for name in names}]

    def renew_export(self, *args: Any) -> Answer:
        *claim, seconds, rows, size = args
        return self._by_holder(
            claim,
            lambda row: {
                "leased_until": self._clock() + seconds,
                "rows_done": max(row.rows_done, rows),
                "bytes_done": max(row.bytes_done, size),
            },
        )

    def complete_export(self, *args: Any) -> Answer:
        *claim, rows, size, sha256, key, snapshot_at, lifetime_ms, file_bytes, file_sha256 = args
        return self._by_holder(
            claim,
            lambda _: {
                "status": "completed",
                "row_count": rows,
                "rows_done": rows,
                "bytes_done": size,
                "sha256": sha256,
                "file_bytes": file_bytes,
                "file_sha256": file_sha256,
                "object_key": key,
                "snapshot_at": snapshot_at,
                "expires_at": self.now_ms() + lifetime_ms,
                **_NO_LEASE,
            },
        )

    def fail_export(self, *args: Any) -> Answer:
        *claim, reason, code, retryable = args
        why = {"error": reason, "error_code": code, "retryable": retryable}
        return self._by_holder(claim, lambda _: {"status": "failed", **why, **_NO_LEASE})

    def release_export(self, *args: Any) -> Answer:
        *claim, seconds, reason = args
        return self._by_holder(
            claim, lambda _: {"leased_until": self._clock() + seconds, "last_error": reason}
        )

    def return_export(self, *args: Any) -> Answer:
        *claim, seconds = args
        return self._by_holder(
            claim,
            lambda row: {
                "leased_until": self._clock() + seconds,
                "failures": row.failures - 1,
            },
        )

    def cancel_export(self, tenant_id: UUID, export_id: str) -> Answer:
        row = self.rows.get((tenant_id, export_id))
        if row is None or row.status not in UNFINISHED:
            return []
        return self._change(row, None, status="cancelled", **_NO_LEASE)

    def delete_export(self, tenant_id: UUID, export_id: str) -> Answer:
        row = self.rows.get((tenant_id, export_id))
        if row is None or row.status in UNFINISHED:
            return []
        self._watch.changes(row, None, By(self._statement))
        del self.rows[tenant_id, export_id]
        return [{"id": export_id}]

    def expire_exports(self, most: int) -> Answer:
        now = self.now_ms()
        done = [row for row in self.rows.values() if row.status == "completed"]
        due = sorted((row for row in done if row.expires_at <= now), key=lambda row: row.expires_at)
        for row in due[:most]:
            self._change(row, None, status="expired", object_key=None)
        return [{"object_key": row.object_key} for row in due[:most]]

    def share_snapshot(self, _tenant_id: UUID) -> Answer:
        # Only the session knows its snapshot, and there is one server.
        return [{"name": "", "server_started_at": datetime.min.replace(tzinfo=UTC)}]

    def forget_idempotency_keys(self) -> Answer:
        return []

    def forget_deliveries(self, _most: int) -> Answer:
        return []

    def forget_messages(self) -> Answer:
        return []

    def forget_workers(self) -> Answer:
        return []  # nobody signs in

    def find_dead_objects(self, *columns: list[Any]) -> Answer:
        return [
            {"name": name}
            for name, tenant_id, export_id, attempt in zip(*columns, strict=True)
            if tenant_id in self.tenants
            and not _needed(self.rows.get((tenant_id, export_id)), name, attempt)
        ]

    def _held(self, tenant_id: UUID, export_id: str, attempt: int, worker: str) -> Row | None:
        row = self.rows.get((tenant_id, export_id))
        if row is None or (row.status, row.attempt, row.leased_by) != ("running", attempt, worker):
            return None
        return row

    def _by_holder(self, claim: list[Any], changes: Callable[[Row], dict[str, Any]]) -> Answer:
        row = self._held(*claim)
        return [] if row is None else self._change(row, (claim[2], claim[3]), **changes(row))

    def _change(self, row: Row, holder: tuple[int, str] | None, **changes: Any) -> Answer:
        after = replace(row, **changes)
        self._watch.changes(row, after, By(self._statement, holder))
        self.rows[row.tenant_id, row.id] = after
        return [{"id": row.id, "tenant_id": row.tenant_id, "attempt": after.attempt}]


_NO_LEASE: dict[str, Any] = {"leased_by": None, "leased_until": 0.0}
_STATEMENTS = {
    sql(name): name
    for name in (
        "exports/claim_export",
        "exports/find_waiting_export",
        "worker/forget_workers",
        "exports/get_job",
        "exports/renew_export",
        "exports/complete_export",
        "exports/fail_export",
        "exports/release_export",
        "exports/return_export",
        "exports/cancel_export",
        "exports/delete_export",
        "worker/expire_exports",
        "worker/find_dead_objects",
        "exports/read_snapshot_time",
        "exports/share_snapshot",
        "worker/forget_idempotency_keys",
        "worker/forget_deliveries",
        "worker/forget_messages",
    )
}


def _needed(row: Row | None, name: str, attempt: int) -> bool:
    return row is not None and (
        row.object_key == name or (row.status == "running" and row.attempt == attempt)
    )
