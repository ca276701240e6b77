"""Filters whose index has no order: an export sorts keys, never whole rows, and spills nothing."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from uuid import UUID

import asyncpg
import pytest

from memferry.database.pool import Database
from memferry.database.sql import sql
from memferry.exports.read.probe import probe
from memferry.exports.read.snapshot import Reader
from memferry.exports.read.stream import open_inline_rows
from memferry.exports.request import ExportRequest
from memferry.model.token import Caller
from support.postgres import create_database, open_database
from support.variants import TEXT_FORMATS

ALICE = UUID(int=1)
MATCHING, OTHERS = 10_000, 90_000
# The rows that match are 18 MB, each just below the size that PostgreSQL stores apart; work_mem is
# 16 MB.
_PLANT = """
    INSERT INTO memferry.memories
        (tenant_id, id, content, namespace, tags, source, metadata, created_at, updated_at)
    SELECT $1::uuid, gen_random_uuid(), repeat('small ', 3), 'other', '{}'::text[],
        'agent', '{"kind": "other"}'::jsonb, 7919 * i % 100003, i
    FROM generate_series(1, $3::integer) AS i
    UNION ALL
    SELECT $1::uuid, gen_random_uuid(),
        (SELECT string_agg(md5(i::text || j), '') FROM generate_series(1, 52) AS j), 'notes',
        '{note}', 'agent', '{"kind": "fact"}', 7919 * i % 100003, i
    FROM generate_series(1, $2::integer) AS i
"""
_OTHER_SESSIONS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
        AND backend_type = 'client backend'
"""
_FILTERS: tuple[dict[str, object], ...] = (
    {"tags": ["note"]},
    {"metadata_filter": {"kind": "fact"}},
)

Export = Callable[[Database, ExportRequest], Awaitable[bytes]]


@pytest.fixture(scope="module")
def planted(database_url: str) -> Iterator[str]:
    """A database in which a tenth of Alice's memories, the large ones, have a tag and a kind."""
    with create_database(database_url) as url:
        asyncio.run(_plant(url))
        yield url


async def _plant(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("INSERT INTO memferry.tenants VALUES ($1, 'alice')", ALICE)
    await connection.execute(_PLANT, ALICE, MATCHING, OTHERS)
    await connection.execute("VACUUM ANALYZE memferry.memories")
    await connection.close()


async def spilled_bytes(url: str) -> int:
    """What the database has written into temporary files; a session tells it as it ends."""
    connection = await asyncpg.connect(url)
    while await connection.fetchval(_OTHER_SESSIONS):
        await asyncio.sleep(0.01)
    spilled: int = await connection.fetchval(
        "SELECT temp_bytes FROM pg_stat_database WHERE datname = current_database()"
    )
    await connection.close()
    return spilled


async def export_queued(database: Database, request: ExportRequest) -> bytes:
    async with Reader(database, readers=3).start(ALICE, request) as (run, _):
        return b"".join([block async for block in run])


async def export_inline(database: Database, request: ExportRequest) -> bytes:
    caller = Caller(tenant_id=ALICE)
    async with database.tenant(caller, snapshot=True) as connection:
        found = await probe(connection, caller, request)
        async with open_inline_rows(connection, request, found) as run:
            return b"".join([block async for block in run])


@pytest.mark.parametrize("export", [export_queued, export_inline])
@pytest.mark.parametrize("file_format", TEXT_FORMATS)
@pytest.mark.parametrize("filters", _FILTERS, ids=str)
async def test_a_filter_without_an_order_spills_nothing_and_changes_no_byte(
    planted: str, export: Export, file_format: str, filters: dict[str, object]
) -> None:
    before = await spilled_bytes(planted)
    async with open_database(planted, size=4) as database:
        filtered = await export(database, _request(file_format, filters))
        in_order = await export(database, _request(file_format, {"namespace": "notes"}))

    assert filtered == in_order
    assert len(filtered) > MATCHING * 1664
    assert await spilled_bytes(planted) == before


@pytest.mark.parametrize("filters", _FILTERS, ids=str)
async def test_rows_by_columns_are_looked_up_by_sorted_keys(
    planted: str, filters: dict[str, object]
) -> None:
    before = await spilled_bytes(planted)
    async with open_database(planted, size=4) as database:
        filtered = await export_queued(database, _request("parquet", filters))
        in_order = await export_queued(database, _request("parquet", {"namespace": "notes"}))

    assert filtered == in_order
    assert await spilled_bytes(planted) == before


async def test_a_sort_of_whole_rows_is_noticed(planted: str) -> None:
    before = await spilled_bytes(planted)
    async with open_database(planted) as database, database.tenant(ALICE) as connection:
        request = _request("ndjson", _FILTERS[0])
        statement, arguments = request.selection.fill(sql("exports/export_rows"))
        await connection.fetch(request.format.rows.render(statement), *arguments)

    assert await spilled_bytes(planted) > before


def _request(file_format: str, filters: dict[str, object]) -> ExportRequest:
    return ExportRequest.parse(json.dumps({"format": file_format, **filters}).encode())
