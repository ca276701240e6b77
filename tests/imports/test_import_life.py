"""Imports that are cancelled, killed, limited or deleted leave nothing, and happen once."""

import asyncio
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
import pytest

from support.imports import make_row, write_ndjson
from support.people import Person
from support.postgres import execute
from support.service import Service, asleep
from support.tokens import create_holder, fetchval, read_tenant_id

_COUNTED = "SELECT coalesce(sum(rows), 0)::int FROM memferry.memory_usage WHERE tenant_id = $1"
_ROWS = 500


def list_files(service: Service, job: dict[str, Any]) -> list[str]:
    """What the local store holds of an import."""
    return [path.name for path in service.store.glob(f"*/{job['id']}/*")]


@contextmanager
def hold_up_merges(database_url: str) -> Iterator[None]:
    """A time in which nobody can read memories: imports get stuck in their merge."""

    async def lock(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        await connection.execute("BEGIN; LOCK TABLE memferry.memories IN ACCESS EXCLUSIVE MODE")

    with asyncio.Runner() as runner:
        connection = runner.run(asyncpg.connect(database_url))
        runner.run(lock(connection))
        try:
            yield
        finally:
            runner.run(connection.close())


def send(person: Person, *rows: dict[str, Any], **options: Any) -> dict[str, Any]:
    answer = person.post("/api/memories/imports", content=write_ndjson(*rows), params=options)
    assert answer.status_code == 201, answer.text
    job: dict[str, Any] = answer.json()
    return job


def wait_until_read(person: Person, job: dict[str, Any], rows: int = _ROWS) -> None:
    """Return once all records were read, and the merge waits for the table."""
    address = f"/api/memories/imports/{job['id']}"
    wait_until(lambda: person.get(address).json()["rows_done"] >= rows)


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def make_rows(number: int = _ROWS) -> list[dict[str, Any]]:
    return [make_row(f"memory {index}") for index in range(number)]


def test_an_import_cancelled_in_its_merge_leaves_nothing(
    alice: Person, service: Service, database_url: str
) -> None:
    with hold_up_merges(database_url):
        job = send(alice, *make_rows())
        wait_until_read(alice, job)
        answer = alice.delete(f"/api/memories/imports/{job['id']}")
        cancelled = alice.get(f"/api/memories/imports/{job['id']}").json()
        time.sleep(2.5)
        stuck = asyncio.run(_list_merges(database_url))
    files = list_files(service, job)

    assert (answer.status_code, cancelled["status"]) == (204, "cancelled")
    assert stuck == []
    assert files == []
    assert alice.get("/api/memories").json() == []
    assert asyncio.run(_count(alice, database_url)) == 0


async def _list_merges(database_url: str) -> list[str]:
    """The statements of imports that run, in this database."""
    connection = await asyncpg.connect(database_url)
    try:
        rows = await connection.fetch(
            "SELECT query FROM pg_stat_activity WHERE datname = current_database() "
            "AND application_name LIKE '% import' AND state = 'active'"
        )
    finally:
        await connection.close()
    return [row["query"] for row in rows]


async def _count(person: Person, database_url: str) -> int:
    tenant_id = await read_tenant_id(person, database_url)
    number: int = await fetchval(database_url, _COUNTED, tenant_id)
    return number


def test_an_import_whose_worker_is_killed_happens_once(
    alice: Person, service: Service, database_url: str
) -> None:
    with hold_up_merges(database_url):
        job = send(alice, *make_rows())
        wait_until_read(alice, job)
        worker = service.worker_pid()
        assert worker is not None
        os.kill(worker, signal.SIGKILL)
    ended = alice.wait_for_import(job)
    payload = alice.export(format="ndjson")["payload"]

    assert (ended["status"], ended["report"]["created"]) == ("completed", _ROWS)
    assert payload.count("\n") == _ROWS
    assert asyncio.run(_count(alice, database_url)) == _ROWS


def test_the_file_is_gone_when_the_import_has_ended(alice: Person, service: Service) -> None:
    job = send(alice, make_row())
    before = list_files(service, job)
    alice.wait_for_import(job)
    wait_until(lambda: list_files(service, job) == [])

    assert before == ["0"]


def test_a_deleted_import_is_not_found_and_its_memories_stay(alice: Person) -> None:
    job = alice.import_file(write_ndjson(make_row()))
    answers = [alice.delete(f"/api/memories/imports/{job['id']}").status_code for _ in range(2)]

    assert answers == [204, 404]
    assert alice.get(f"/api/memories/imports/{job['id']}").status_code == 404
    assert len(alice.get("/api/memories").json()) == 1


def test_a_token_limited_to_namespaces_imports_into_these_alone(
    alice: Person, database_url: str
) -> None:
    rows = [make_row(namespace="home"), make_row(namespace="work")]
    rights = {"scopes": ("memories:read", "memories:write"), "namespaces": ("home",)}
    with create_holder(alice, database_url, **rights) as limited:
        refused = limited.import_file(write_ndjson(*rows))
        skipped = limited.import_file(write_ndjson(*rows), on_error="skip")
        elsewhere = limited.post(
            "/api/memories/imports", content=b"[]", params={"namespace": "work"}
        )
        alice.import_file(write_ndjson(rows[1]))
        hidden = limited.import_file(write_ndjson(rows[1] | {"content": "mine"}), namespace="home")
        seen = limited.get("/api/memories/imports").json()["imports"]
    memories = {row["namespace"]: row["content"] for row in alice.get("/api/memories").json()}

    assert refused["error_code"] == "records_rejected"
    assert "'work'" in refused["report"]["rejections"][0]["reason"]
    assert (skipped["report"]["created"], skipped["report"]["rejected"]) == (1, 1)
    assert (elsewhere.status_code, elsewhere.json()["field"]) == (403, "namespace")
    assert hidden["report"]["skipped"] == {"conflict": 1}
    assert memories == {"home": rows[0]["content"], "work": rows[1]["content"]}
    assert len(seen) == 3


@pytest.mark.parametrize("body", [b"", b"--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--"])
def test_a_body_without_a_file_is_refused(alice: Person, body: bytes) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=x"} if body else {}
    answer = alice.post("/api/memories/imports", content=body, headers=headers)

    assert (answer.status_code, answer.json()["field"]) == (400, "body")
    assert alice.get("/api/memories/imports").json()["imports"] == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("conflict", "merge"),
        ("on_error", "ignore"),
        ("format", "word"),
        ("timezone", "Mars/Base"),
        ("timezone", "../../etc/passwd"),
        ("per", "day"),
        ("folders", "all"),
        ("dry_run", "yes"),
        ("unknown", "1"),
        ("namespace", "n" * 513),
        ("tags", "t" * 513),
    ],
)
def test_an_option_that_is_not_understood_is_refused_by_name(
    alice: Person, name: str, value: str
) -> None:
    answer = alice.post("/api/memories/imports", content=b"[]", params={name: value})

    assert answer.status_code == 400
    assert answer.json()["field"].startswith(name)


def test_an_upload_that_nobody_renews_is_swept_and_a_live_one_is_not(
    alice: Person, service: Service, database_url: str
) -> None:
    with asleep(service):
        job = send(alice, make_row())
        directory = next(iter(service.store.glob(f"*/{job['id']}")))
        kept, dead = (
            directory.parent / name
            for name in ("01ARZ3NDEKTSV4RRFFQ69G5FAV", "01BX5ZZKBKACTAV9WEVGEMMVRZ")
        )
        for folder, lease in ((kept, "1 hour"), (dead, "-1 second")):
            folder.mkdir()
            (folder / "0").write_bytes(b"{}")
            asyncio.run(
                execute(database_url, _UPLOAD.format(directory.parent.name, folder.name, lease))
            )
    worker = service.worker_pid()
    assert worker is not None
    os.kill(worker, signal.SIGTERM)  # the next one sweeps at its start
    deadline = time.monotonic() + 30
    while (dead / "0").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    swept, left = not (dead / "0").exists(), (kept / "0").exists()
    alice.wait_for_import(job)
    (kept / "0").unlink()

    assert (swept, left) == (True, True)


_UPLOAD = "INSERT INTO memferry.import_uploads VALUES ('{}', '{}', now() + interval '{}')"


def test_an_upload_that_breaks_off_leaves_nothing(
    alice: Person, service: Service, database_url: str
) -> None:
    tenant_id = asyncio.run(read_tenant_id(alice, database_url))
    address = ("127.0.0.1", urlsplit(str(alice.base_url)).port or 0)
    with socket.create_connection(address) as connection:
        head = (
            "POST /api/memories/imports HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n"
            f"Authorization: Bearer {alice.token}\r\n\r\n"
        )
        connection.sendall(head.encode() + b"x" * 3_000_000)
        wait_until(lambda: _list_uploads(service, tenant_id) != [])
    wait_until(lambda: _list_uploads(service, tenant_id) == [])
    # The claim goes after the file that it stands for.
    claims = "SELECT count(*) FROM memferry.import_uploads WHERE tenant_id = $1"
    wait_until(lambda: asyncio.run(fetchval(database_url, claims, tenant_id)) == 0)

    assert alice.get("/api/memories/imports").json()["imports"] == []


def _list_uploads(service: Service, tenant_id: UUID) -> list[str]:
    return [path.name for path in service.store.glob(f"{tenant_id}/*/*")]


def test_webhooks_and_audit_hear_of_an_import_once_and_not_of_its_memories(
    alice: Person, database_url: str
) -> None:
    alice.post("/api/webhooks", json={"url": "http://127.0.0.1:9/"})
    alice.import_file(write_ndjson(make_row(), make_row()))
    alice.import_file(b"no memories at all")
    told = asyncio.run(_list_events(alice, database_url, "deliveries"))
    noted = asyncio.run(_list_events(alice, database_url, "audit"))

    assert told == ["import.completed", "import.failed"]
    assert noted == ["import.completed", "import.created", "import.created", "import.failed"]


async def _list_events(person: Person, database_url: str, table: str) -> list[str]:
    tenant_id = await read_tenant_id(person, database_url)
    events: list[str] = await fetchval(
        database_url,
        f"SELECT array_agg(event ORDER BY event) FROM memferry.{table} "
        "WHERE tenant_id = $1 AND event LIKE '%import%' OR event LIKE 'memory%' AND tenant_id = $1",
        tenant_id,
    )
    return events


def test_what_has_no_room_is_refused_whole(alice: Person, database_url: str) -> None:
    tenant_id = asyncio.run(read_tenant_id(alice, database_url))
    full = f"INSERT INTO memferry.memory_usage VALUES ('{tenant_id}', 99, 9999999, 0)"
    asyncio.run(execute(database_url, full))
    refused = alice.import_file(write_ndjson(make_row(), make_row()))
    fits = alice.import_file(write_ndjson(make_row()))

    assert (refused["status"], refused["error_code"]) == ("failed", "too_many_memories")
    assert fits["report"]["created"] == 1


def test_an_erasure_reaches_exports_of_an_imported_memory(alice: Person) -> None:
    row = make_row(created_at=4_000_000_000_000)
    alice.import_file(write_ndjson(row))
    export = alice.export()
    answer = alice.delete(f"/api/memories/{row['id']}", params={"purge_exports": "true"})
    after = alice.get(f"/api/memories/exports/{export['id']}").json()

    assert answer.headers["memferry-purged-exports"] == "1"
    assert (after["status"], after["payload"]) == ("expired", None)
