"""Databases and connections of tests."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg

from memferry.database.embedded import EmbeddedPostgres
from memferry.database.migrate import migrate
from memferry.database.pool import Database
from memferry.settings import DatabaseSettings, EmbeddedSettings


@contextmanager
def run_embedded_server(home: Path, binaries: Path | None) -> Iterator[str]:
    """A server of our own below a directory, with a migrated database."""
    server = EmbeddedPostgres(home / "postgres", EmbeddedSettings(binaries=binaries))
    server.start()
    asyncio.run(migrate(server.url()))
    yield server.url()
    server.stop()


@contextmanager
def create_database(url: str) -> Iterator[str]:
    """Another migrated database on the same server, for tests that would disturb others."""
    name = f"memferry_test_{uuid4().hex[:12]}"
    asyncio.run(execute(url, f"CREATE DATABASE {name}"))
    own = urlsplit(url)._replace(path=f"/{name}").geturl()
    asyncio.run(migrate(own))
    yield own
    asyncio.run(execute(url, f"DROP DATABASE {name} WITH (FORCE)"))


@asynccontextmanager
async def open_database(
    url: str, *, size: int = 10, statement_seconds: int = 60, **more: Any
) -> AsyncIterator[Database]:
    """Connections of the service; closed at the end, however that comes."""
    settings = DatabaseSettings(pool_size=size, statement_seconds=statement_seconds)
    database = Database(url, settings, **more)
    await database.open()
    try:
        yield database
    finally:
        await database.close()


async def execute(url: str, statement: str) -> None:
    """Run one statement as the owner."""
    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()
