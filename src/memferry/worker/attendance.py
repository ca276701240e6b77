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


class Attendance:
    """Keeps one worker on the list of workers, with how it stands with its store."""

    def __init__(self, workers: Workers, identity: StoreIdentity, worker: WorkerSignature) -> None:
        self._workers = workers
        self._identity = identity
        self._worker = worker

    async def tick(self) -> bool:
        """Sign in again; False, since the next time can wait."""
        status, reason = await self._look_at_store()
        await self._workers.sign_in(self._worker, status, reason)
        return False

    async def sign_out(self) -> None:
        """Leave the list."""
        await self._workers.sign_out(self._worker)

    async def require_store(self) -> None:
        """Return if this worker may take an export.

        Raises OtherStore for a store that is not the database's, and StorageUnavailable for one
        that this worker cannot reach while another worker can: an attempt that must fail is nobody
        else's. Where no other worker is at work the export shall fail, and say why.
        """
        try:
            await self._identity.check()
        except StorageUnavailable:
            if await self._workers.others_work(self._worker):
                raise

    async def check_store(self) -> None:
        """Raises OtherStore if the store is not the database's any more."""
        await self._identity.check()

    async def _look_at_store(self) -> tuple[Status, str | None]:
        try:
            async with asyncio.timeout(HEARTBEAT_SECONDS):
                await self._identity.check()
        except OtherStore as fault:
            return "other_store", str(fault)
        except StorageUnavailable as fault:
            return "store_away", str(fault)
        except TimeoutError:
            return "store_away", "it does not answer"
        return "working", None
