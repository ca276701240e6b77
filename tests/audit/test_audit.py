"""The audit: who did what, when and from where, written once, without any content."""

import asyncio
import hashlib
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
import httpx
import pytest

from memferry.database.pool import SERVICE_ROLE
from memferry.wire.audit import AuditEntry
from support.command_line import run_memferry
from support.people import Person
from support.service import Service
from support.tokens import create_admin, create_holder, fetchval

REQUEST = '{"format": "json", "filters": {}}'
_EXPORTS = "/api/memories/exports"


@pytest.fixture
def admin(alice: Person, database_url: str) -> Iterator[Person]:
    """Alice with a token that may do everything."""
    with create_admin(alice, database_url) as person:
        yield person


def audit(admin: Person, **query: Any) -> list[dict[str, Any]]:
    answer = admin.get("/api/audit", params=query)
    assert answer.status_code == 200, answer.text
    entries: list[dict[str, Any]] = answer.json()["entries"]
    return entries


def wait_for(admin: Person, event: str, number: int = 1) -> list[dict[str, Any]]:
    """The entries of an event once there are so many of them."""
    deadline = time.monotonic() + 30
    while len(found := audit(admin, event=event)) < number:
        assert time.monotonic() < deadline, audit(admin)
        time.sleep(0.05)
    return found


def token_id(person: Person, database_url: str) -> str:
    digest = hashlib.sha256(person.token.encode()).digest()
    query = "SELECT id FROM memferry.tokens WHERE sha256 = $1"
    return str(asyncio.run(fetchval(database_url, query, digest)))


def large(person: Person) -> dict[str, Any]:
    """A completed export in a file."""
    person.save_many([{"content": f"memory {i}"} for i in range(10_001)])
    return person.wait_for(person.export(format="ndjson"))


def test_a_small_export_is_noted_with_who_where_and_how_much(
    admin: Person, alice: Person, database_url: str
) -> None:
    alice.save("green tea", namespace="kitchen")
    before = int(time.time() * 1000) - 1000
    answer = alice.post(_EXPORTS, json={"namespace": "kitchen"})
    export = answer.json()
    completed, created = audit(admin)[:2]
    filters = answer.text.partition('"filters":')[2].partition("}")[0] + "}"

    assert (created["event"], completed["event"]) == ("export.created", "export.completed")
    for each in (created, completed):
        assert set(each) == set(AuditEntry.__struct_fields__)
        assert each["token_id"] == token_id(alice, database_url)
        assert each["address"] == "127.0.0.1"
        assert (each["subject"], each["outcome"]) == (export["id"], "ok")
        assert (each["rows"], each["detail"]) == (1, "json")
        assert each["filters_sha256"] == hashlib.sha256(filters.encode()).hexdigest()
        assert before <= each["at"] <= int(time.time() * 1000) + 1000
    assert (created["bytes"], completed["bytes"]) == (None, export["bytes_done"])


def test_a_queued_export_its_link_and_its_download_are_noted(
    admin: Person, alice: Person, database_url: str
) -> None:
    export = large(alice)
    body = httpx.get(export["download_url"]).content
    part = httpx.get(export["download_url"], headers={"Range": "bytes=10-19"}).content
    (created,) = audit(admin, event="export.created")
    (completed,) = audit(admin, event="export.completed")
    minted = audit(admin, event="link.minted")
    downloads = wait_for(admin, "export.downloaded", 2)

    assert completed["token_id"] == token_id(alice, database_url)
    assert completed["address"] is None
    assert (completed["rows"], completed["bytes"]) == (10_001, len(body))
    assert (created["rows"], created["bytes"]) == (10_001, None)
    assert {each["subject"] for each in (created, *minted, *downloads)} == {export["id"]}
    assert minted[0]["token_id"] == token_id(alice, database_url)
    assert [(each["bytes"], each["outcome"], each["detail"]) for each in downloads] == [
        (len(part), "ok", f"bytes 10-19/{len(body)}"),
        (len(body), "ok", None),
    ]
    assert {each["token_id"] for each in downloads} == {None}
    assert {each["address"] for each in downloads} == {"127.0.0.1"}


def test_a_download_whose_reader_goes_away_is_noted_as_interrupted(
    admin: Person, alice: Person
) -> None:
    text = "word " * 2_000
    alice.save_many([{"content": text} for _ in range(2_000)])
    alice.save_many([{"content": "y"} for _ in range(8_001)])
    export = alice.wait_for(alice.export(format="ndjson"))
    url = urlsplit(export["download_url"])
    with socket.create_connection((url.hostname, url.port), timeout=10) as connection:
        request = f"GET {url.path} HTTP/1.1\r\nHost: {url.netloc}\r\n\r\n"
        connection.sendall(request.encode())
        connection.makefile("rb").read(64 * 1024)
    (entry,) = wait_for(admin, "export.downloaded")

    assert entry["outcome"] == "interrupted"
    assert 0 < entry["bytes"] < export["bytes_done"]


def test_deleted_exports_and_memories_are_noted(admin: Person, alice: Person) -> None:
    row, export = alice.save("gone"), alice.export()
    alice.delete(f"/api/memories/{row['id']}")
    alice.delete(f"{_EXPORTS}/{export['id']}")

    assert audit(admin, event="memory.deleted")[0]["subject"] == row["id"]
    (deleted,) = audit(admin, event="export.deleted")
    assert (deleted["subject"], deleted["rows"]) == (export["id"], 1)
    assert deleted["filters_sha256"] == audit(admin, event="export.created")[0]["filters_sha256"]


async def test_cancelling_and_failing_are_noted(
    admin: Person, alice: Person, database_url: str
) -> None:
    owner = await asyncpg.connect(database_url)
    await owner.execute(
        "INSERT INTO memferry.jobs (tenant_id, id, type, status, request, needs,"
        " row_count, token_id) SELECT tenant_id, $2, 'export', 'pending', $3, '{nobody}', 1, id"
        " FROM memferry.tokens WHERE sha256 = $1",
        hashlib.sha256(alice.token.encode()).digest(),
        "0" * 25 + "C",
        REQUEST,
    )
    await owner.execute(
        "INSERT INTO memferry.jobs (tenant_id, id, type, status, request, row_count, token_id,"
        " attempt, failures) SELECT tenant_id, $2, 'export', 'pending', $3, 1, id, 99, 99"
        " FROM memferry.tokens WHERE sha256 = $1",
        hashlib.sha256(alice.token.encode()).digest(),
        "0" * 25 + "F",
        REQUEST,
    )
    await owner.close()
    alice.delete(f"{_EXPORTS}/{'0' * 25}C")
    (cancelled,) = audit(admin, event="export.cancelled")
    (failed,) = await asyncio.to_thread(wait_for, admin, "export.failed")

    assert (cancelled["subject"], cancelled["outcome"]) == ("0" * 25 + "C", "ok")
    assert (failed["subject"], failed["outcome"]) == ("0" * 25 + "F", "worker_lost")
    assert failed["token_id"] == cancelled["token_id"]


def test_tokens_made_and_revoked_are_noted(admin: Person, database_url: str) -> None:
    made = admin.post("/api/tokens", json={"scopes": ["memories:read", "admin"]}).json()
    admin.delete(f"/api/tokens/{made['id']}")
    admin.delete(f"/api/tokens/{made['id']}")
    revoked, created, by_operator = audit(admin)[:3]

    assert (created["event"], created["subject"]) == ("token.created", made["id"])
    assert (created["detail"], created["token_id"]) == (
        "memories:read admin",
        token_id(admin, database_url),
    )
    assert (revoked["event"], revoked["subject"]) == ("token.revoked", made["id"])
    assert (by_operator["event"], by_operator["token_id"]) == ("token.created", None)


@pytest.mark.parametrize("way", ["http", "command line"])
def test_a_revoked_token_and_what_it_had_queued_are_noted(
    admin: Person, database_url: str, tmp_path: Path, way: str
) -> None:
    made = admin.post("/api/tokens", json={}).json()
    asyncio.run(
        fetchval(
            database_url,
            "INSERT INTO memferry.jobs (tenant_id, id, type, status, request, needs,"
            " row_count, token_id) SELECT tenant_id, $2, 'export', 'pending', $3, '{nobody}', 1, id"
            " FROM memferry.tokens WHERE id = $1",
            UUID(made["id"]),
            "0" * 25 + "R",
            REQUEST,
        )
    )
    if way == "http":
        admin.delete(f"/api/tokens/{made['id']}")
    else:
        external = {"MEMFERRY_DATABASE_URL": database_url, "MEMFERRY_DATA_DIR": str(tmp_path)}
        run_memferry("token", "revoke", made["id"], settings=external)
    (entry,) = audit(admin, event="export.cancelled")
    (revoked,) = audit(admin, event="token.revoked")

    assert (entry["subject"], entry["detail"]) == ("0" * 25 + "R", "token revoked")
    assert (revoked["subject"], revoked["detail"]) == (made["id"], None)


def test_refusals_are_noted_with_the_pattern_and_the_id(
    admin: Person, alice: Person, bob: Person, database_url: str
) -> None:
    foreign = bob.save("of Bob")["id"]
    with create_holder(alice, database_url, scopes=("memories:read",)) as reader:
        reader.get(_EXPORTS)
    alice.get(f"/api/memories/{foreign}")
    alice.get("/api/memories/canary-no-id")
    alice.get("/api/canary-no-address")
    found = [
        (each["subject"], each["outcome"], each["detail"])
        for each in audit(admin, event="request.denied")
    ]

    assert found == [
        ("GET an unknown address", "route_not_found", None),
        ("GET /api/memories/{memory_id}", "memory_not_found", None),
        ("GET /api/memories/{memory_id}", "memory_not_found", foreign),
        ("GET /api/memories/exports", "scope_missing", "exports:read"),
    ]


def test_an_unknown_token_is_in_the_log_and_in_no_audit(
    charlie: Person, service: Service, database_url: str
) -> None:
    count = "SELECT count(*) FROM memferry.audit"
    before = asyncio.run(fetchval(database_url, count))
    lines = service.log.read_text().count("unknown token from 127.0.0.1")
    # Others may have asked in the last ten seconds: then the log says it once more after these.
    deadline = time.monotonic() + 15
    while service.log.read_text().count("unknown token from 127.0.0.1") == lines:
        assert time.monotonic() < deadline
        charlie.get("/api/memories")
        time.sleep(0.1)

    assert asyncio.run(fetchval(database_url, count)) == before
    assert charlie.token not in service.log.read_text()


def test_pages_follow_each_other_without_gaps(admin: Person, alice: Person) -> None:
    for _ in range(5):
        alice.export()
    whole = audit(admin, limit=500)
    pages, before = [], None
    while page := audit(admin, limit=3, **({"before": before} if before else {})):
        pages += page
        before = page[-1]["id"]

    assert len(whole) >= 11
    assert pages == whole


@pytest.mark.parametrize("query", [{"event": "all"}, {"before": "yesterday"}])
def test_an_invalid_parameter_of_the_audit_is_refused_by_name(
    admin: Person, query: dict[str, str]
) -> None:
    answer = admin.get("/api/audit", params=query)

    assert answer.status_code == 400
    assert answer.json()["field"] == next(iter(query))


def test_the_audit_shows_no_entry_of_another_tenant(admin: Person, bob: Person) -> None:
    export = bob.export()

    assert export["id"] not in {each["subject"] for each in audit(admin, limit=500)}


def test_the_audit_is_closed_to_a_limited_token_whose_refusal_is_noted(
    admin: Person, alice: Person, database_url: str
) -> None:
    with create_admin(alice, database_url, namespaces=("a",)) as limited:
        answer = limited.get("/api/audit")
        export = limited.export()

    assert answer.status_code == 403
    assert export["id"] in {each["subject"] for each in audit(admin)}
    assert audit(admin, event="request.denied")[0]["outcome"] == "namespace_forbidden"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET outcome = 'ok'",
        "DELETE FROM audit",
        "TRUNCATE memferry.audit",
        "INSERT INTO audit (event, outcome, address) VALUES ('x', 'ok', '10.0.0.1')",
        "INSERT INTO audit (event, outcome, noted_at) VALUES ('x', 'ok', now())",
    ],
)
async def test_the_service_role_can_only_insert_and_read_audit_entries(
    database_url: str, statement: str
) -> None:
    settings = {"role": SERVICE_ROLE, "search_path": SERVICE_ROLE}
    session = await asyncpg.connect(database_url, server_settings=settings)
    await session.execute(f"SET memferry.tenant = '{UUID(int=1)}'")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await session.execute(statement)
    await session.close()


def test_an_audit_that_cannot_be_written_breaks_no_answer(
    service: Service, alice: Person, database_url: str
) -> None:
    export = large(alice)
    grant = "INSERT ON memferry_service.audit {} memferry_service"
    asyncio.run(fetchval(database_url, f"REVOKE {grant.format('FROM')}"))
    try:
        missing = alice.get("/api/memories/none")
        found = alice.get(f"{_EXPORTS}/{export['id']}")
    finally:
        columns = (
            "event, outcome, subject, filters_sha256, row_count, byte_count, detail, token_id,"
            " times"
        )
        grant = f"INSERT ({columns}) ON memferry_service.audit TO memferry_service"
        asyncio.run(fetchval(database_url, f"GRANT {grant}"))

    assert missing.status_code == 404
    assert found.json()["download_url"]
    assert "not in the audit: link.minted" in service.log.read_text()


def test_the_operator_reads_the_audit_of_all_tenants(
    admin: Person, alice: Person, database_url: str, tmp_path: Any
) -> None:
    del admin
    export = alice.export()
    external = {"MEMFERRY_DATABASE_URL": database_url, "MEMFERRY_DATA_DIR": str(tmp_path)}
    done = run_memferry("audit", "--event", "export.created", "--limit", "1", settings=external)
    entry = json.loads(done.stdout)

    assert entry["subject"] == export["id"]
    assert entry["tenant"].startswith("alice-")
