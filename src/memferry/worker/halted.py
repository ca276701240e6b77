"""Lets go of what workers hold that are halted, or whose network was cut in mid transaction."""

import logging

from memferry.database.pool import Database
from memferry.database.sql import sql

_log = logging.getLogger("memferry.worker")


class Halted:
    """Ends the sessions of workers that hold a snapshot for longer than a working one would.

    Such a worker cannot do it by itself, and its snapshot keeps vacuum from the whole database.
    """

    def __init__(self, database: Database, *, seconds: float) -> None:
        """`seconds` is how old a transaction of a worker may become."""
        self._database = database
        self._seconds = float(seconds)

    async def tick(self) -> bool:
        """Look once; False, since the next look can wait."""
        async with self._database.own_sessions() as connection:
            ended = await connection.fetch(sql("end_halted_workers"), self._seconds)
        for each in ended:
            _log.warning("ended session %d of a worker, halted in a transaction", each["pid"])
        return False
