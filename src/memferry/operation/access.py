"""Connections for a look at a database: there within seconds, or an error."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from memferry.database.embedded import EmbeddedPostgres
from memferry.database.pool import SERVICE_ROLE, Connection
from memferry.errors import MemferryError

_CONNECT_SECONDS = 5
_ANSWER_SECONDS = 20


@dataclass(frozen=True)
class DatabaseAccess:
    """The owner's address of a database, and for the embedded one its server and directory."""

    url: str
    embedded: EmbeddedPostgres | None = None
    data_dir: Path | None = None

    @property
    def kind(self) -> str:
        """What the database is, in a few words."""
        return "external" if self.embedded is None else f"embedded in {self.data_dir}"

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[Connection]:
        """A connection of the owner, on which the views of the service have their own names.

        Raises MemferryError if the embedded server does not run, and the errors of asyncpg as they
        are: they say more than ours.
        """
        if self.embedded is not None and not await asyncio.to_thread(self.embedded.attach):
            raise MemferryError(
                f"the embedded PostgreSQL in {self.data_dir} does not run; start it with: "
                "memferry serve"
            )
        connection = await asyncpg.connect(
            self.url,
            timeout=_CONNECT_SECONDS,
            command_timeout=_ANSWER_SECONDS,
            server_settings={"search_path": SERVICE_ROLE},
        )
        try:
            yield connection
        finally:
            await connection.close(timeout=_CONNECT_SECONDS)
