"""Several connections read one export: the same bytes as one, from one snapshot."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import LiteralString
from uuid import UUID

import asyncpg
import pytest

from memferry.database.pool import Database
from memferry.database.sql import sql
from memferry.exports import ranges
from memferry.exports.request import ExportRequest
from memferry.exports.run import Runs
from memferry.formats import FORMATS
from support.memories import AWKWARD
from support.people import Person, make_person
from support.postgres import open_database
from support.service import Service
from support.tokens import tenant_of

ROWS = 15_000
EVERYWHERE = (0, UUID(int=0), 2**62, UUID(int=1))


@pytest.fixture(scope="module")
def alice(service: Service, database_url: str) -> Iterator[Person]:
    """Alice with rows whose times are often the same, a few of them large."""
    with make_person("alice", service, database_url) as person:
        rows = [
            {
                "content": AWKWARD[i % len(AWKWARD)] + "x" * (i % 500),
                "namespace": f"namespace {i % 3}",
                "tags": [f"tag {i % 7}", '"\\,\n'],
                "source_ref": None if i % 2 else f"{i}\t",
                "metadata": None if i % 5 else {"i": i, "nested": [1.50, {"a": None}]},
                "created_at": 1_700_000_000_000 + i % 40 * 1000,
            }
            for i in range(ROWS)
        ]
        person.save_many(rows[:5_000])
        person.save_many([{"content": "y" * 300_000, "created_at": 1_700_000_010_000}] * 30)
        person.save_many(rows[5_000:])
        yield person


@pytest.fixture
async def tenant_id(alice: Person, database_url: str) -> UUID:
    return await tenant_of(alice, database_url)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with open_database(database_url, size=4) as database:
        yield database


async def exported(database: Database, readers: int, tenant_id: UUID, body: object) -> bytes:
    request = ExportRequest.parse(json.dumps(body).encode())
    async with Runs(database, readers=readers).start(tenant_id, request) as (run, _):
        return b"".join([chunk async for chunk in run])


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"namespace": "namespace 1"},
        {"created_after": 1_700_000_005_000, "created_before": 1_700_000_030_000},
        {"namespace": "namespace 2", "created_after": 1_700_000_039_000},
        {"tags": ["tag 3"]},
        {"namespace": "none"},
    ],
    ids=str,
)
async def test_any_number_of_readers_gives_the_same_bytes(
    database: Database, tenant_id: UUID, file_format: str, filters: dict[str, object]
) -> None:
    body = {"format": file_format, **filters}
    alone = await exported(database, 1, tenant_id, body)

    assert [await exported(database, readers, tenant_id, body) == alone for readers in (2, 3)] == [
        True,
        True,
    ]


@pytest.mark.parametrize(
    ("value_bytes", "fewest"),
    [(2**17, 2**17), (2**17, 1), (2**12, 1)],
    ids=["each by itself", "many in a value", "one in a value"],
)
@pytest.mark.parametrize("file_format", ["json", "ndjson"])
async def test_framed_rows_have_the_same_bytes(
    database: Database,
    tenant_id: UUID,
    monkeypatch: pytest.MonkeyPatch,
    file_format: str,
    value_bytes: int,
    fewest: int,
) -> None:
    body = {"format": file_format}
    alone = await exported(database, 1, tenant_id, body)
    monkeypatch.setattr(ranges, "VALUE_BYTES", value_bytes)
    monkeypatch.setattr(ranges, "_MOST_ROWS", 2_000)
    # However large: the rows of 300 kB come in one value with others.
    monkeypatch.setattr(ranges, "_LARGEST_VALUE_BYTES", 2**40)
    monkeypatch.setattr(ranges, "_FEWEST_JOINED", fewest)

    assert await exported(database, 2, tenant_id, body) == alone


@pytest.mark.parametrize(
    ("memory", "least"),
    [
        ({"content": "é" * 20_000}, 40_000),
        ({"content": "x", "metadata": {"a": "b" * 1_000_000}}, 2**20),
        ({"content": "x", "tags": ["t" * 512] * 1_000}, 2**20),
        ({"content": "é" * 4_097, "source_ref": "é" * 4_096}, 16_385),
    ],
    ids=["content", "metadata", "tags", "source_ref"],
)
async def test_a_large_row_is_detected_before_it_is_read(
    bob: Person, database_url: str, database: Database, memory: dict[str, object], least: int
) -> None:
    bob.save_many([{"content": "small"}, memory])
    bobs = await tenant_of(bob, database_url)
    async with database.tenant(bobs, in_order=True) as connection:
        found = await connection.fetchval(sql("exports/measure_range"), *EVERYWHERE)

    assert found >= least


async def test_rows_without_a_large_one_are_not_measured(
    bob: Person, database_url: str, database: Database
) -> None:
    bob.save_many([{"content": "é" * 4_096, "source_ref": "é" * 4_096}])
    bobs = await tenant_of(bob, database_url)
    async with database.tenant(bobs, in_order=True) as connection:
        assert await connection.fetchval(sql("exports/measure_range"), *EVERYWHERE) is None


async def test_a_line_is_what_row_to_json_says(database: Database, tenant_id: UUID) -> None:
    data = await exported(database, 2, tenant_id, {"format": "ndjson"})
    async with database.tenant(tenant_id) as connection:
        rows = await connection.fetch(
            "SELECT row_to_json(memory)::text FROM memories AS memory ORDER BY created_at, id"
        )

    assert data == "".join(f"{row[0]}\n" for row in rows).encode()


async def test_all_readers_of_an_export_share_one_snapshot(
    alice: Person, database: Database, tenant_id: UUID
) -> None:
    request = ExportRequest.parse(b'{"format": "ndjson"}')
    late = None
    async with Runs(database, readers=3).start(tenant_id, request) as (run, _):
        chunks = []
        async for chunk in run:
            chunks.append(chunk)
            if late is None:
                late = await asyncio.to_thread(alice.save, "saved meanwhile")
    alice.delete(f"/api/memories/{late['id']}" if late else "")

    assert b"saved meanwhile" not in b"".join(chunks)
    assert run.rows_done == ROWS + 30


async def test_one_reader_reads_all_without_further_connections(
    database_url: str, database: Database, tenant_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("memferry.database.pool._ACQUIRE_SECONDS", 0.2)
    alone = await exported(database, 1, tenant_id, {})
    async with open_database(database_url, size=1) as narrow:
        found = await exported(narrow, 3, tenant_id, {})

    assert found == alone


async def test_abandoning_an_export_ends_every_copy(
    database: Database, tenant_id: UUID, database_url: str
) -> None:
    request = ExportRequest.parse(b'{"format": "ndjson"}')
    with suppress(LookupError):
        async with Runs(database, readers=3).start(tenant_id, request) as (run, _):
            await anext(aiter(run))
            raise LookupError
    owner = await asyncpg.connect(database_url)
    running: list[asyncpg.Record] = []
    for _ in range(250):  # the server is told, and finds out between two rows
        running = await owner.fetch(
            "SELECT query FROM pg_stat_activity WHERE application_name = 'memferry' "
            "AND state <> 'idle' AND query LIKE 'COPY%' AND query LIKE '%created_at, id) >%'"
        )
        if not running:
            break
        await asyncio.sleep(0.02)
    await owner.close()

    assert running == []


@pytest.mark.parametrize(
    ("name", "rows", "scans"),
    [("exports/export_range", (), 1), ("exports/export_joined", (100,), 2)],
)
async def test_a_range_is_read_by_its_index_and_not_sorted(
    database: Database,
    database_url: str,
    tenant_id: UUID,
    name: LiteralString,
    rows: tuple[int, ...],
    scans: int,
) -> None:
    owner = await asyncpg.connect(database_url)
    await owner.execute("ANALYZE memferry.memories")
    await owner.close()
    third: dict[str, str] = {"namespace": "namespace 1"}
    for filters, index in (({}, "memories_by_time"), (third, "memories_by_namespace")):
        request = ExportRequest.parse(json.dumps(filters).encode())
        query, arguments = request.selection.apply(sql(name), *EVERYWHERE, *rows)
        async with database.tenant(tenant_id, in_order=True) as connection:
            query = query.replace("{columns}", request.format.columns)
            plan = await connection.fetch(f"EXPLAIN {query}", *arguments)
        text = "\n".join(line[0] for line in plan)

        assert text.count(index) == scans, text
        conditions = [line for line in text.splitlines() if "Index Cond:" in line]
        assert [line.count("ROW(") for line in conditions] == [len(rows) * 4 or 4] * scans, text
        assert "Sort" not in text, text


async def test_large_rows_are_found_by_their_own_index(database: Database, tenant_id: UUID) -> None:
    async with database.tenant(tenant_id, in_order=True) as connection:
        plan = await connection.fetch(f"EXPLAIN {sql('exports/measure_range')}", *EVERYWHERE)
    lines = [line[0] for line in plan]
    (scan,) = (line for line in lines if "Scan" in line)
    (condition,) = (line for line in lines if "Index Cond:" in line)

    assert "Index Scan using memories_large" in scan
    assert "tenant_id = " in condition
    assert condition.count("ROW(") == 4
    assert "Sort" not in str(lines)


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("exports/export_range", ()),
        ("exports/measure_range", ()),
        ("exports/export_joined", (20,)),
        ("exports/find_range_end", (100,)),
    ],
)
async def test_a_range_within_a_span_of_time_is_read_from_its_own_first_row_to_its_last(
    database: Database, tenant_id: UUID, name: LiteralString, rows: tuple[int, ...]
) -> None:
    wide = {"created_after": 1_700_000_000_000, "created_before": 1_700_000_039_000}
    read = []
    async with database.tenant(tenant_id, in_order=True) as connection:
        keys = await connection.fetch(
            "SELECT created_at, id FROM memories ORDER BY created_at, id OFFSET 7000 LIMIT 101"
        )
        for filters in ({}, wide):
            request = ExportRequest.parse(json.dumps(filters).encode())
            query, arguments = request.ranged.apply(sql(name), *keys[0], *keys[-1], *rows)
            query = query.replace("{columns}", request.format.columns)
            explain = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT json) {query}"
            await connection.fetch(explain, *arguments)  # the first look fills caches
            plan = json.loads(await connection.fetchval(explain, *arguments))[0]["Plan"]
            read.append(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])

    assert read[1] <= read[0]
