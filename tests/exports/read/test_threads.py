"""The order of documents: by namespace, then thread; the same bytes at once and from the queue."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from memferry.database.pool import Database
from memferry.exports.read.plan import Way, plan
from memferry.exports.read.probe import probe, probe_order
from memferry.exports.read.snapshot import Reader
from memferry.exports.read.stream import open_inline_rows
from memferry.exports.request import ExportRequest
from memferry.model.token import Caller
from support.documents import make_rows
from support.people import Person, make_person
from support.service import Service

_FILTERS: tuple[dict[str, object], ...] = (
    {},
    {"namespace": "namespace 1"},
    {"tags": ["a, b"]},
    {"created_after": 1_700_000_001_000},
    {"namespace": "none"},
)


@pytest.fixture(scope="module")
def alice(service: Service, database_url: str) -> Iterator[Person]:
    """Alice with rows of many namespaces and threads, each text several times."""
    with make_person("alice", service, database_url) as person:
        for i in range(20):
            person.save_many([row | {"created_at": 1_700_000_000_000 + i} for row in make_rows()])
        yield person


def parse(file_format: str, filters: dict[str, Any]) -> ExportRequest:
    return ExportRequest.parse(json.dumps({"format": file_format, **filters}).encode())


@pytest.mark.parametrize("filters", _FILTERS, ids=str)
@pytest.mark.parametrize("file_format", ["markdown", "html"])
async def test_a_document_is_the_same_at_once_and_from_the_queue(
    database: Database, tenant_id: UUID, file_format: str, filters: dict[str, object]
) -> None:
    request = parse(file_format, filters)
    queued = []
    for readers in (1, 3):
        async with Reader(database, readers=readers).start(tenant_id, request) as (rows, _):
            queued.append(b"".join([chunk async for chunk in rows]))
    caller = Caller(tenant_id=tenant_id)
    async with database.tenant(caller, snapshot=True) as connection:
        rows_probe = await probe(connection, caller, request)
        async with open_inline_rows(connection, request, rows_probe) as stream:
            inline = b"".join([chunk async for chunk in stream])

    assert queued == [inline, inline]
    assert stream.rows_done == rows_probe.rows


@pytest.mark.parametrize("file_format", ["markdown", "html"])
async def test_no_index_has_the_order_of_a_document(
    database: Database, tenant_id: UUID, file_format: str
) -> None:
    request = parse(file_format, {})
    async with database.tenant(tenant_id, snapshot=True) as connection:
        rows_probe = await probe_order(connection, request)

    assert plan(request, rows_probe).way is Way.KEYS
