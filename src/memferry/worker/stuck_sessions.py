"""Terminates sessions of workers that are stuck or cut off, whose snapshots block vacuum."""

import asyncpg

from memferry.database.pool import Database
from memferry.database.sql import sql
from memferry.errors import Misconfigured
from memferry.telemetry import log_event


class StuckSessions:
    """Terminates two kinds of sessions of workers.

    Those whose transaction is older than work may take, and all of a worker that does not sign in
    any more: its lease is over, and its work goes to another.
    """

    def __init__(
        self,
        database: Database,
        *,
        seconds: float,
        import_seconds: float,
        silent_seconds: float,
        server: Database | None = None,
    ) -> None:
        """How old a transaction may become, one of an import, and how long a worker may be silent.

        `server` is where sessions are ended, if not on the database that workers sign in to.
        """
        self._database = database
        self._server = server or database
        self._seconds = float(seconds)
        self._import_seconds = float(import_seconds)
        self._silent_seconds = float(silent_seconds)

    async def tick(self) -> bool:
        """Look once; False, since the next look can wait."""
        async with self._database.connection() as connection:
            silent = await connection.fetch(sql("worker/find_silent_workers"), self._silent_seconds)
        programs = [row["program"] for row in silent]
        try:
            async with self._server.own_sessions() as connection:
                ended = await connection.fetch(
                    sql("worker/end_stuck_sessions"), self._seconds, programs, self._import_seconds
                )
        except asyncpg.PostgresError as fault:
            raise Misconfigured(f"sessions of workers cannot be ended: {fault}") from fault
        for row in ended:
            log_event("session.terminated", pid=row["pid"])
        return False
