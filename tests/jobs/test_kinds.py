"""What a worker must be able to write to claim an export; a row says all that was asked for."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pyrage
import pytest

from memferry.database.pool import Database
from memferry.database.sql import sql
from memferry.exports.request import NEEDS, TYPE, ExportRequest
from memferry.files.compress import CODECS
from memferry.jobs.queue import Queue
from memferry.model.identity import new_export_id
from memferry.model.job import qualify_needs
from memferry.settings import WorkerSettings
from support.postgres import create_database, open_database
from support.variants import VARIANTS

KEY = str(pyrage.x25519.Identity.generate().to_public())
REQUESTS = [
    {**variant, "compression": codec, "encrypt_to": key}
    for variant in VARIANTS
    for codec in (None, *CODECS)
    for key in (None, KEY)
] + [{"format": "csv", "max_part_bytes": 2**20}]

FILTERS = {
    "ids": ["00000000-0000-7000-8000-000000000000"],
    "namespace": "a",
    "tags": ["b"],
    "metadata_filter": {"c": 1},
    "created_after": 1,
    "created_before": 2,
    "updated_after": 3,
    "updated_before": 4,
}


@pytest.fixture(scope="module")
def quiet_url(database_url: str) -> Iterator[str]:
    """The owner's address of a database in which no worker runs."""
    with create_database(database_url) as url:
        yield url


@pytest.fixture
async def database(quiet_url: str) -> AsyncIterator[Database]:
    async with open_database(quiet_url, size=2) as database:
        yield database


@pytest.fixture
async def alice(quiet_url: str) -> UUID:
    """A tenant of her own for each test."""
    owner, tenant_id = await asyncpg.connect(quiet_url), uuid4()
    await owner.execute(
        "INSERT INTO memferry.tenants VALUES ($1, $2)", tenant_id, f"alice-{tenant_id}"
    )
    await owner.close()
    return tenant_id


async def queue(database: Database, tenant_id: UUID, request: ExportRequest) -> str:
    """Queue an export of no rows; its id."""
    export_id = new_export_id()
    async with database.tenant(tenant_id) as connection:
        await connection.execute(
            sql("exports/create_pending_export"),
            *(export_id, request.as_json, qualify_needs(TYPE, request.needs), 0),
        )
    return export_id


def parse(body: dict[str, Any]) -> ExportRequest:
    return ExportRequest.parse(json.dumps(body).encode())


def test_all_requests_together_need_all_that_a_worker_understands() -> None:
    needs = {need for body in REQUESTS for need in parse(body | FILTERS).needs}

    assert needs | {"filter namespaces"} == NEEDS


@pytest.mark.parametrize("body", REQUESTS, ids=lambda body: " ".join(sorted(parse(body).needs)))
async def test_a_worker_claims_only_exports_it_can_write(
    database: Database, alice: UUID, body: dict[str, Any]
) -> None:
    request = parse({**body, "namespace": "a"})
    export_id = await queue(database, alice, request)
    jobs = Queue(database, WorkerSettings(lease_seconds=60))
    before = [
        await jobs.claim("older", qualify_needs(TYPE, NEEDS - {need})) for need in request.needs
    ]
    claim = await jobs.claim("newer", qualify_needs(TYPE, request.needs))
    assert claim is not None
    job = await jobs.read(claim)

    assert (set(before), claim.job_id) == ({None}, export_id)
    assert job is not None
    assert ExportRequest.read(job.request, job.namespaces) == request
