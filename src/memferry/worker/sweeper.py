"""Sweeps what jobs leave behind, seals and announces exports that were not, forgets what is old."""

from memferry.database.pool import Database
from memferry.database.sql import sql
from memferry.exports.announcement import Announcements
from memferry.exports.chain import Chain
from memferry.jobs.queue import FinishedJobs
from memferry.jobs.sweep import JobSweep
from memferry.storage import Storage
from memferry.worker.attendance import Attendance

# Of each webhook.
_LOGGED_DELIVERIES = 10_000


class Sweeper:
    """Any number of these may run side by side: each removal is one that can be made twice."""

    def __init__(
        self, database: Database, storage: Storage, *, attendance: Attendance | None = None
    ) -> None:
        """`attendance` looks at the store before each sweep."""
        self._attendance = attendance
        self._database = database
        self._chain = Chain(database)
        self._announcements = Announcements(database)
        self._jobs = JobSweep(FinishedJobs(database), storage)

    async def tick(self) -> bool:
        """Sweep once, through everything; False, since the next sweep can wait."""
        if self._attendance is None or await self._attendance.holds_right_store():
            await self._jobs.run()
        await self._announcements.tell_overdue()
        await self._chain.seal_overdue()
        async with self._database.connection() as connection:
            await connection.execute(sql("worker/forget_manifests"))
            await connection.execute(sql("worker/forget_idempotency_keys"))
            await connection.execute(sql("worker/forget_deliveries"), _LOGGED_DELIVERIES)
            await connection.execute(sql("worker/forget_messages"))
            await connection.execute(sql("worker/forget_uploads"))
            await connection.execute(sql("worker/forget_workers"))
        return False
