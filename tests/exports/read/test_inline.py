"""Exports that come back at once: ready, in frames or row by row, they are the same bytes."""

import json
from collections.abc import Iterator
from uuid import UUID

import pytest

from memferry.database.blocks import CopyReader
from memferry.database.copy import Segment
from memferry.database.pool import Connection, Database
from memferry.exports.read.plan import Probe
from memferry.exports.read.probe import probe
from memferry.exports.read.snapshot import Reader
from memferry.exports.read.stream import open_inline_rows
from memferry.exports.request import ExportRequest
from memferry.model.token import Caller
from support.memories import AWKWARD
from support.people import Person, make_person
from support.service import Service
from support.tokens import read_tenant_id
from support.variants import TEXT_VARIANTS, name_variant

_FEW, _SOME, _LARGE = 100, 5_000, 20
_EVERY_WAY = pytest.mark.parametrize(
    ("filters", "rows"),
    [
        ({"namespace": "none"}, 0),
        ({"namespace": "one"}, 1),
        ({"namespace": "few"}, _FEW),
        ({"namespace": "some"}, _SOME),
        ({"namespace": "some", "tags": ["odd"]}, _SOME // 2),
        ({"namespace": "large"}, _LARGE),
        ({}, 1 + _FEW + _SOME + _LARGE),
    ],
    ids=str,
)


@pytest.fixture(scope="module")
def alice(service: Service, database_url: str) -> Iterator[Person]:
    """Alice with namespaces of one, few, some and large memories; times are often the same."""
    with make_person("alice", service, database_url) as person:
        for namespace, count in (("one", 1), ("few", _FEW), ("some", _SOME)):
            person.save_many(
                [
                    {
                        "content": AWKWARD[i % len(AWKWARD)] + "x" * (i % 300),
                        "namespace": namespace,
                        "tags": ["odd" if i % 2 else "even", '"\\,\n'],
                        "metadata": None if i % 5 else {"i": i, "nested": [1.50, {"a": None}]},
                        "created_at": 1_700_000_000_000 + i % 40 * 1000,
                    }
                    for i in range(count)
                ]
            )
        person.save_many([{"content": "y" * 600_000, "namespace": "large"}] * _LARGE)
        yield person


async def at_once(
    database: Database, caller: Caller, request: ExportRequest
) -> tuple[Probe, bytes, int, int]:
    """What was found; the bytes, the rows they count as, and the size of the largest block."""
    async with database.tenant(caller, snapshot=True) as connection:
        found = await probe(connection, caller, request)
        async with open_inline_rows(connection, request, found) as run:
            blocks = [block async for block in run]
    return found, b"".join(blocks), run.rows_done, max(map(len, blocks))


@_EVERY_WAY
@pytest.mark.parametrize("variant", TEXT_VARIANTS, ids=name_variant)
async def test_an_inline_export_has_the_bytes_of_a_queued_one(
    database: Database,
    tenant_id: UUID,
    variant: dict[str, object],
    filters: dict[str, object],
    rows: int,
) -> None:
    request = ExportRequest.parse(json.dumps(variant | filters).encode())
    async with Reader(database).start(tenant_id, request) as (run, _):
        queued = b"".join([block async for block in run])
    found, data, rows_done, _ = await at_once(database, Caller(tenant_id=tenant_id), request)

    assert data == queued
    assert found.rows == rows_done == rows


@pytest.mark.parametrize(
    ("filters", "limit", "copies"),
    [
        ({"namespace": "none"}, None, []),
        ({"namespace": "few"}, None, []),
        ({"namespace": "some"}, None, ["frames"]),
        ({"namespace": "some", "tags": ["odd"]}, None, ["rows"]),
        ({"namespace": "one", "tags": ["odd"]}, None, ["rows"]),
        ({"namespace": "large"}, None, ["frames"]),
        ({}, ("few",), ["rows"]),
    ],
    ids=str,
)
async def test_few_rows_need_no_copy_and_more_come_many_in_a_frame(
    database: Database,
    tenant_id: UUID,
    monkeypatch: pytest.MonkeyPatch,
    filters: dict[str, object],
    limit: tuple[str, ...] | None,
    copies: list[str],
) -> None:
    used: list[str] = []
    copy = Segment.copy

    async def note(
        self: Segment,
        connection: Connection,
        query: str,
        arguments: list[object],
        reader: CopyReader,
    ) -> None:
        used.append("frames" if "string_agg" in query else "rows")
        await copy(self, connection, query, arguments, reader)

    monkeypatch.setattr(Segment, "copy", note)
    request = ExportRequest.parse(json.dumps({"format": "ndjson", **filters}).encode())
    await at_once(database, Caller(tenant_id=tenant_id, namespaces=limit), request)

    assert used == copies


@pytest.mark.parametrize(
    ("memory", "ready"),
    [
        ({"content": "é" * 3_000}, True),
        ({"content": "é" * 7_000}, False),
        ({"content": "é" * 2**17}, False),
        ({"content": "x", "metadata": {"a": "b" * 1_000_000}}, False),
        ({"content": "x", "tags": ["t" * 512] * 1_000}, False),
        ({"content": "x", "source_ref": "\x01" * 4_096}, False),
    ],
    ids=["small", "many", "content", "metadata", "tags", "source_ref"],
)
async def test_the_probe_brings_no_large_records(
    bob: Person, database_url: str, database: Database, memory: dict[str, object], *, ready: bool
) -> None:
    bob.save_many([memory] * 12)
    request = ExportRequest.parse(b'{"format": "ndjson"}')
    caller = Caller(tenant_id=await read_tenant_id(bob, database_url))
    found, data, rows_done, _ = await at_once(database, caller, request)

    assert (found.records is not None) == ready
    assert rows_done == data.count(b"\n") == 12


@pytest.mark.parametrize("variant", TEXT_VARIANTS, ids=name_variant)
async def test_blocks_of_small_rows_are_small(
    database: Database, tenant_id: UUID, variant: dict[str, object]
) -> None:
    body = {**variant, "namespace": "some"}
    *_, largest = await at_once(
        database, Caller(tenant_id=tenant_id), ExportRequest.parse(json.dumps(body).encode())
    )

    # A block, and what came with its end.
    assert largest < 512 * 1024


async def test_counting_stops_at_more_rows_than_an_answer_holds(
    database: Database, tenant_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = ExportRequest.parse(b'{"format": "ndjson", "namespace": "few"}')
    caller = Caller(tenant_id=tenant_id)
    async with database.tenant(caller, snapshot=True) as connection:
        monkeypatch.setattr("memferry.exports.read.probe.INLINE_ROWS", _FEW)
        all_of_them = await probe(connection, caller, request)
        monkeypatch.setattr("memferry.exports.read.probe.INLINE_ROWS", _FEW - 1)
        too_many = await probe(connection, caller, request)

    assert (all_of_them.rows, all_of_them.records is None) == (_FEW, False)
    assert too_many.rows == _FEW
