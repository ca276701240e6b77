"""Sweeps what jobs leave behind, seals and announces exports that were not, forgets what is old."""

from memferry.database.pool import Connection, Database
from memferry.database.sql import sql
from memferry.erasure.expiry import ExpirySweep
from memferry.erasure.memories import MemoryErasure
from memferry.errors import MemferryError, StorageUnavailable
from memferry.exports.announcement import Announcements
from memferry.exports.chain import Chain
from memferry.jobs.queue import FinishedJobs
from memferry.jobs.sweep import JobSweep
from memferry.settings import ExportSettings, Quotas
from memferry.storage import Storage
from memferry.worker.attendance import Attendance

# Of each webhook.
_LOGGED_DELIVERIES = 10_000
# In one transaction.
_FORGOTTEN_CHANGES = 5_000


class Sweeper:
    """Any number of these may run side by side: each removal is one that can be made twice."""

    def __init__(
        self,
        database: Database,
        storage: Storage,
        quotas: Quotas = Quotas(),
        exports: ExportSettings = ExportSettings(),
        *,
        attendance: Attendance | None = None,
    ) -> None:
        """`attendance` looks at the store before each sweep."""
        self._history_seconds = quotas.history_seconds
        self._attendance = attendance
        self._database = database
        self._chain = Chain(database)
        self._announcements = Announcements(database)
        self._expiry = ExpirySweep(database, MemoryErasure(database, storage, exports))
        self._jobs = JobSweep(FinishedJobs(database), storage)

    async def tick(self) -> bool:
        """Sweep once, through everything; False, since the next sweep can wait.

        Raises StorageUnavailable for a store that is away, when the database is swept.
        """
        fault = await self._sweep_jobs()
        await self._expiry.run()
        await self._announcements.tell_overdue()
        await self._chain.seal_overdue()
        async with self._database.connection() as connection:
            await connection.execute(sql("worker/forget_manifests"))
            await connection.execute(sql("worker/forget_idempotency_keys"))
            await connection.execute(sql("worker/forget_deliveries"), _LOGGED_DELIVERIES)
            await connection.execute(sql("worker/forget_messages"))
            await connection.execute(sql("worker/forget_uploads"))
            await connection.execute(sql("worker/forget_sign_ins"))
            await connection.execute(sql("worker/forget_workers"))
            await self._forget_changes(connection)
        if fault is not None:
            raise fault
        return False

    async def _sweep_jobs(self) -> MemferryError | None:
        """Sweep what jobs leave behind; answers the fault of a store that is away."""
        if self._attendance is None or await self._attendance.holds_right_store():
            try:
                await self._jobs.run()
            except StorageUnavailable as fault:
                return fault
        return None

    async def _forget_changes(self, connection: Connection) -> None:
        """Shorten the change log step by step, so that nobody waits for long."""
        forgotten = _FORGOTTEN_CHANGES
        while forgotten == _FORGOTTEN_CHANGES:
            forgotten = await connection.fetchval(
                sql("worker/forget_changes"), self._history_seconds, _FORGOTTEN_CHANGES
            )
