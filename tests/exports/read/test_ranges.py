"""Several connections read one export: the same bytes as one, from one snapshot."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress
from typing import LiteralString
from uuid import UUID

import asyncpg
import pytest

from memferry.database.pool import Database, Planner
from memferry.database.sql import sql
from memferry.exports.read.plan import Frames, Plan, Way
from memferry.exports.read.snapshot import Reader
from memferry.exports.read.stream import open_rows
from memferry.exports.request import ExportRequest
from memferry.formats import FORMATS, Order
from support.memories import AWKWARD
from support.people import Person, make_person
from support.postgres import open_database
from support.service import Service
from support.tokens import read_tenant_id
from support.variants import VARIANTS, name_variant

ROWS = 15_000
# Their rows come in frames, whichever way they are read.
_IN_FRAMES = [
    name for name, known in FORMATS.items() if known.rows.csv is None and known.order is Order.TIME
]
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


async def exported(database: Database, readers: int, tenant_id: UUID, body: object) -> bytes:
    request = ExportRequest.parse(json.dumps(body).encode())
    async with Reader(database, readers=readers).start(tenant_id, request) as (run, _):
        return b"".join([chunk async for chunk in run])


@pytest.mark.parametrize("variant", VARIANTS, ids=name_variant)
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
    database: Database, tenant_id: UUID, variant: dict[str, object], filters: dict[str, object]
) -> None:
    body = variant | filters
    alone = await exported(database, 1, tenant_id, body)

    assert [await exported(database, readers, tenant_id, body) == alone for readers in (2, 3)] == [
        True,
        True,
    ]


@pytest.mark.parametrize(
    "plan",
    [
        Plan(way=Way.KEYS, frames=Frames(100)),
        Plan(way=Way.SPAN, frames=Frames(1)),
        Plan(way=Way.SPAN, frames=Frames(100)),
        Plan(way=Way.SPAN, frames=Frames(2 * ROWS)),
        Plan(way=Way.RANGES, frames=Frames(50)),
    ],
    ids=str,
)
@pytest.mark.parametrize("file_format", _IN_FRAMES)
async def test_every_way_gives_the_same_bytes(
    database: Database, tenant_id: UUID, file_format: str, plan: Plan
) -> None:
    request = ExportRequest.parse(json.dumps({"format": file_format}).encode())
    usual = await exported(database, 2, tenant_id, {"format": file_format})
    async with (
        database.tenant(tenant_id, snapshot=True, planner=Planner.INDEX_ORDER) as connection,
        open_rows([connection], request, plan) as rows,
    ):
        data = b"".join([chunk async for chunk in rows])

    assert data == usual


@pytest.mark.parametrize("way", [Way.KEYS, Way.SPAN, Way.RANGES])
async def test_every_way_gives_the_same_csv(database: Database, tenant_id: UUID, way: Way) -> None:
    request = ExportRequest.parse(b'{"format": "csv"}')
    usual = await exported(database, 2, tenant_id, {"format": "csv"})
    async with (
        database.tenant(tenant_id, snapshot=True, planner=Planner.INDEX_ORDER) as connection,
        open_rows([connection], request, Plan(way=way)) as rows,
    ):
        data = b"".join([chunk async for chunk in rows])

    assert data == usual


@pytest.mark.parametrize(
    "memory",
    [
        {"content": "é" * 20_000},
        {"content": "\x01" * 10_000},
        {"content": "x", "metadata": {"a": "b" * 1_000_000}},
        {"content": "x", "tags": ["t" * 512] * 1_000},
        {"content": "x", "source_ref": "\x01" * 4_096},
    ],
    ids=["content", "escapes", "metadata", "tags", "source_ref"],
)
async def test_a_frame_of_many_rows_is_small_however_large_rows_are(
    bob: Person, database_url: str, database: Database, memory: dict[str, object]
) -> None:
    small: dict[str, object] = {"content": "small"}
    bob.save_many([*[small] * 25, memory, *[small] * 25])
    request = ExportRequest.parse(b'{"format": "ndjson"}')
    query, arguments = request.range_selection.fill(
        sql("exports/export_frames"), *EVERYWHERE, 10, 20_000, "\n"
    )
    query = query.replace("{columns}", request.format.rows.columns)
    async with database.tenant(
        await read_tenant_id(bob, database_url), planner=Planner.INDEX_ORDER
    ) as connection:
        frames = await connection.fetch(query, *arguments)

    assert [frame["rows"] for frame in frames] == [10] * 2 + [1] * 10 + [10] * 2 + [1]
    assert max(len(frame["records"]) for frame in frames if frame["rows"] > 1) < 3_000


async def test_a_line_is_what_row_to_json_says(database: Database, tenant_id: UUID) -> None:
    data = await exported(database, 2, tenant_id, {"format": "ndjson"})
    async with database.tenant(tenant_id) as connection:
        rows = await connection.fetch(
            "SELECT row_to_json(row)::text FROM (SELECT id, content, namespace, tags, source, "
            "source_ref, metadata, created_at, updated_at FROM memories) AS row "
            "ORDER BY created_at, id"
        )

    assert data == "".join(f"{row[0]}\n" for row in rows).encode()


async def test_all_readers_of_an_export_share_one_snapshot(
    alice: Person, database: Database, tenant_id: UUID
) -> None:
    request = ExportRequest.parse(b'{"format": "ndjson"}')
    late = None
    async with Reader(database, readers=3).start(tenant_id, request) as (run, _):
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
        async with Reader(database, readers=3).start(tenant_id, request) as (run, _):
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
    ("name", "frames", "scans"),
    [("exports/export_range", (), 1), ("exports/export_frames", (100, 2**15, "\n"), 3)],
)
async def test_a_range_is_read_by_its_index_and_not_sorted(
    database: Database,
    database_url: str,
    tenant_id: UUID,
    name: LiteralString,
    frames: tuple[object, ...],
    scans: int,
) -> None:
    owner = await asyncpg.connect(database_url)
    await owner.execute("ANALYZE memferry.memories")
    await owner.close()
    third: dict[str, str] = {"namespace": "namespace 1"}
    for filters, index in (({}, "memories_by_time"), (third, "memories_by_namespace")):
        request = ExportRequest.parse(json.dumps(filters).encode())
        query, arguments = request.selection.fill(sql(name), *EVERYWHERE, *frames)
        async with database.tenant(tenant_id, planner=Planner.INDEX_ORDER) as connection:
            query = query.replace("{columns}", request.format.rows.columns)
            plan = await connection.fetch(f"EXPLAIN {query}", *arguments)
        text = "\n".join(line[0] for line in plan)

        assert text.count(index) == scans, text
        conditions = [line for line in text.splitlines() if "Index Cond:" in line]
        assert [line.count("ROW(") for line in conditions] == [4] * scans, text
        assert "Sort" not in text, text


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("exports/export_range", ()),
        ("exports/export_frames", (20, 2**15, "\n")),
        ("exports/find_range_end", (100,)),
    ],
)
async def test_a_range_within_a_span_of_time_is_read_from_its_own_first_row_to_its_last(
    database: Database, tenant_id: UUID, name: LiteralString, more: tuple[object, ...]
) -> None:
    wide = {"created_after": 1_700_000_000_000, "created_before": 1_700_000_039_000}
    read = []
    async with database.tenant(tenant_id, planner=Planner.INDEX_ORDER) as connection:
        keys = await connection.fetch(
            "SELECT created_at, id FROM memories ORDER BY created_at, id OFFSET 7000 LIMIT 101"
        )
        for filters in ({}, wide):
            request = ExportRequest.parse(json.dumps(filters).encode())
            query, arguments = request.range_selection.fill(sql(name), *keys[0], *keys[-1], *more)
            query = query.replace("{columns}", request.format.rows.columns)
            explain = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT json) {query}"
            await connection.fetch(explain, *arguments)  # the first look fills caches
            plan = json.loads(await connection.fetchval(explain, *arguments))[0]["Plan"]
            read.append(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])

    assert read[1] <= read[0]
