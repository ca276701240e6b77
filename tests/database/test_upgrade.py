"""A database of version 0.1.0 comes to the schema of today and beyond, with each row and right."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest

from memferry.database.migrate import list_migrations, migrate
from memferry.database.pool import SERVICE_ROLE
from schema import describe_schema
from support.postgres import create_database, execute
from support.versions import NEW_MIGRATION, make_newer_version

DUMP = Path(__file__).parents[1] / "data/schema_0_1_0.sql"
_TABLES = """
SELECT relname FROM pg_class
WHERE relnamespace = 'memferry'::regnamespace AND relkind = 'r' ORDER BY relname
"""
# Without what newer versions have.
_ROW = "(to_jsonb(own) - '{remark,parts}'::text[])::text"
_RIGHTS = """
SELECT table_name::text, column_name::text, privilege_type::text
FROM information_schema.column_privileges
WHERE grantee = $1 AND column_name <> 'remark'
"""


@pytest.fixture
def old_url(database_url: str) -> Iterator[str]:
    """The owner's address of a database of version 0.1.0."""
    name = f"memferry_old_{uuid4().hex[:12]}"
    asyncio.run(execute(database_url, f"CREATE DATABASE {name}"))
    url = urlsplit(database_url)._replace(path=f"/{name}").geturl()
    asyncio.run(execute(url, DUMP.read_text()))
    yield url
    asyncio.run(execute(database_url, f"DROP DATABASE {name} WITH (FORCE)"))


async def read_rows(url: str) -> dict[str, list[str]]:
    """All rows of all tables, as JSON without the columns of newer versions."""
    connection = await asyncpg.connect(url)
    rows = {
        table: [
            row[0]
            for row in await connection.fetch(
                f"SELECT {_ROW} AS row FROM memferry.{table} AS own ORDER BY row"
            )
        ]
        for (table,) in await connection.fetch(_TABLES)
    }
    await connection.close()
    return rows


async def read_rights(url: str) -> set[tuple[str, str, str]]:
    """What the service role may do, by table, column and right."""
    connection = await asyncpg.connect(url)
    rows = await connection.fetch(_RIGHTS, SERVICE_ROLE)
    await connection.close()
    return {tuple(row) for row in rows}


def keep_columns(rows: list[str], old: list[str]) -> list[str]:
    """The columns that the old rows of a table have; a newer one is null in a row of 0.1.0.

    But each row has a version, the first.
    """
    names = json.loads(old[0]).keys()
    added = {name for row in rows for name in json.loads(row) if name not in names}
    for name in added:
        value = "1" if name == "version" else "null"
        rows = [row.replace(f', "{name}": {value}', "") for row in rows]
    return rows


def keep_tables(rows: dict[str, list[str]], old: dict[str, list[str]]) -> dict[str, list[str]]:
    """The tables and columns that version 0.1.0 has, without the keys that newer ones make."""
    kept = {table: keep_columns(rows[table], old[table]) for table in old}
    return kept | {"keys": [row for row in rows["keys"] if '"name": "manifests"' not in row]}


def test_the_dump_of_0_1_0_has_a_row_in_every_table(old_url: str) -> None:
    rows = asyncio.run(read_rows(old_url))

    assert all(rows.values()), rows.keys()


def test_the_dump_is_what_the_first_migration_makes(
    old_url: str, database_url: str, tmp_path: Path
) -> None:
    if list(list_migrations()) != ["0001"]:
        pytest.skip("the schema has moved on since 0.1.0")
    asyncio.run(migrate(old_url))
    with create_database(database_url) as new_url:
        assert describe_schema(old_url, tmp_path) == describe_schema(new_url, tmp_path)


def test_migrating_keeps_every_row_and_right_of_0_1_0(old_url: str, tmp_path: Path) -> None:
    before = asyncio.run(read_rows(old_url)), asyncio.run(read_rights(old_url))
    asyncio.run(migrate(old_url))
    today = asyncio.run(read_rows(old_url)), asyncio.run(read_rights(old_url))
    newer = make_newer_version(tmp_path)
    migrated = subprocess.run(
        [sys.executable, "-m", "memferry", "migrate", "--data-dir", str(tmp_path / "data")],
        env=os.environ | newer | {"MEMFERRY_DATABASE_URL": old_url},
        check=True,
        capture_output=True,
        text=True,
    )
    later = asyncio.run(read_rows(old_url)), asyncio.run(read_rights(old_url))

    assert migrated.stdout.split() == [NEW_MIGRATION, "views"]
    assert before[0] == keep_tables(today[0], before[0]) == keep_tables(later[0], before[0])
    assert before[1] <= today[1] <= later[1]
    assert ("exports", "id", "SELECT") in later[1]
