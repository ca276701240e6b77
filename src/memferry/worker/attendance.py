"""A worker's sign of life, and its look at the store before it takes work."""

import asyncio

from memferry.errors import OtherStore, StorageUnavailable
from memferry.operation.store_identity import StoreIdentity
from memferry.operation.workers import (
    HEARTBEAT_SECONDS,
    Status,
    Workers,
    WorkerSignature,
)
from memferry.telemetry import log_event


class Attendance:
    """Keeps one worker on the list of workers, with how it stands with its store."""

    def __init__(self, workers: Workers, identity: StoreIdentity, worker: WorkerSignature) -> None:
        self._workers = workers
        self._identity = identity
        self._worker = worker
        self._established = False
        self._logged: Status = "working"

    @property
    def worker_id(self) -> str:
        """By what its leases and the list name this worker."""
        return self._worker.id

    async def tick(self) -> bool:
        """Sign in again; False, since the next time can wait."""
        # A store that does not answer must not delay the next sign of life.
        status, reason = await self._look_at_store(within_seconds=HEARTBEAT_SECONDS)
        await self._workers.sign_in(self._worker, status, reason)
        return False

    async def sign_out(self) -> None:
        """Leave the list."""
        await self._workers.sign_out(self._worker)

    async def may_work(self) -> bool:
        """Whether exports are this worker's to write.

        Not with a store that is not the database's, and not with one that this worker cannot reach
        while another worker can: a failure that only this worker meets shall not use up the
        attempts of an export. Where no worker reaches its store an export shall fail, and say why.
        """
        status, _ = await self._look_at_store()
        if status == "store_away":
            return not await self._workers.has_other(self._worker)
        return status == "working"

    async def holds_right_store(self) -> bool:
        """Whether the store may be swept: in another one, files that it needs could look dead."""
        status, _ = await self._look_at_store()
        return status != "other_store"

    async def check_store(self) -> None:
        """Raises OtherStore if the store is not the database's any more."""
        await self._identity.check()

    async def _look_at_store(
        self, within_seconds: float | None = None
    ) -> tuple[Status, str | None]:
        try:
            async with asyncio.timeout(within_seconds):
                await self._agree()
        except OtherStore as fault:
            self._log_change("other_store", str(fault))
            return "other_store", fault.reason
        except (StorageUnavailable, TimeoutError) as fault:
            reason = str(fault) or "it does not answer"
            self._log_change("store_away", reason)
            return "store_away", reason
        self._log_change("working")
        return "working", None

    async def _agree(self) -> None:
        """Compare, once this worker has met the store; a store may come later than its worker."""
        if self._established:
            await self._identity.check()
        else:
            await self._identity.establish()
            self._established = True

    def _log_change(self, status: Status, reason: str = "") -> None:
        """Log how the worker stands with its store, once until that changes."""
        if status == self._logged:
            return
        self._logged = status
        match status:
            case "working":
                log_event("store.returned")
            case "store_away":
                log_event("store.lost", reason=reason)
            case "other_store":
                log_event("store.mismatched", reason=reason)
