"""The schema of a migrated database is the documented one."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from schema import describe_schema

DOCUMENT = Path(__file__).parents[2] / "docs/schema.sql"


async def version_of(url: str) -> int:
    """The major version of the server."""
    connection = await asyncpg.connect(url)
    await connection.close()
    return connection.get_server_version().major


def test_the_documented_schema_is_what_migrations_make(database_url: str, tmp_path: Path) -> None:
    if asyncio.run(version_of(database_url)) != 18:
        pytest.skip("other versions of PostgreSQL print a schema in other words")

    assert describe_schema(database_url, tmp_path) == DOCUMENT.read_text(), "run: ./run schema"
