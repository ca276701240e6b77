"""What operators see: stores that are not the database's, workers that are missing, readiness."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import httpx
import pytest

from memferry.worker.loop import Loop
from support.people import Person, make_person
from support.postgres import create_database, execute
from support.service import NO_TLS, Service, start_service, stop_service
from support.sessions import open_session
from support.waiting import wait_until

pytestmark = pytest.mark.long

MANY = [{"content": f"memory {number}"} for number in range(10_001)]


@pytest.fixture
def url(database_url: str) -> Iterator[str]:
    """A database that no other test's workers look at."""
    with create_database(database_url) as own:
        yield own


@contextmanager
def served(url: str, home: Path, *options: str) -> Iterator[Service]:
    service = start_service(home, *options, MEMFERRY_DATABASE_URL=url, MEMFERRY_LEASE_SECONDS="2")
    try:
        yield service
    finally:
        stop_service(service)


def run(words: str, url: str, home: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "memferry", *words.split(), "--data-dir", str(home)],
        env=os.environ | {"MEMFERRY_DATABASE_URL": url} | more,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


@contextmanager
def worker(url: str, home: Path, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "memferry", "worker", "--data-dir", str(home)],
            env=os.environ | {"MEMFERRY_DATABASE_URL": url},
            stderr=file,
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        process.wait(30)


def ready(service: Service) -> tuple[int, dict[str, Any]]:
    answer = httpx.get(f"{service.url}/api/health/ready", verify=NO_TLS, timeout=30)
    return answer.status_code, answer.json()


def until_ready(service: Service) -> None:
    wait_until(lambda: ready(service)[0] == 200)


@pytest.mark.parametrize("command", ["worker", "serve --port 39997 --no-worker"])
def test_a_process_with_another_store_is_refused_and_told_what_to_do(
    url: str, tmp_path: Path, command: str
) -> None:
    with served(url, tmp_path / "first"):
        refused = run(command, url, tmp_path / "second")

    assert refused.returncode == 1
    assert "MEMFERRY_STORAGE_URL" in refused.stderr
    assert "memferry store adopt" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_store_adopted_by_the_operator_belongs_to_the_database(url: str, tmp_path: Path) -> None:
    with served(url, tmp_path / "first"):
        pass
    adopted = run("store adopt", url, tmp_path / "second")
    with served(url, tmp_path / "second") as service:
        until_ready(service)

    assert adopted.returncode == 0, adopted.stderr
    assert run("worker", url, tmp_path / "first").returncode == 1


def test_a_store_may_serve_several_databases(url: str, database_url: str, tmp_path: Path) -> None:
    store = {"MEMFERRY_STORAGE_URL": (tmp_path / "store").as_uri()}
    with create_database(database_url) as other:
        for database in (url, other):
            service = start_service(tmp_path, MEMFERRY_DATABASE_URL=database, **store)
            until_ready(service)
            stop_service(service)


def test_an_export_into_a_recreated_store_is_not_completed(url: str, tmp_path: Path) -> None:
    with served(url, tmp_path) as service, make_person("alice", service, url) as alice:
        alice.save_many(MANY)
        until_ready(service)
        service.store.rename(tmp_path / "unmounted")
        service.store.mkdir()
        export = alice.export()
        status, body = wait_until(lambda: not_ready(service))
        still = alice.get(f"/api/memories/exports/{export['id']}").json()
        service.store.rmdir()
        (tmp_path / "unmounted").rename(service.store)
        done = alice.wait_for(export)

    assert (status, body["store"]) == (503, "another one than this database's")
    assert service.log.read_text().count("no export is taken") == 1
    assert still["status"] == "pending"
    assert done["status"] == "completed"
    assert done["download_url"] is not None


def not_ready(service: Service) -> tuple[int, dict[str, Any]] | None:
    status, body = ready(service)
    return (status, body) if status == 503 and body["store"] != "ok" else None


def test_readiness_reports_a_missing_worker_until_one_signs_in(url: str, tmp_path: Path) -> None:
    with served(url, tmp_path, "--no-worker") as service:
        status, body = ready(service)
        healthy = httpx.get(f"{service.url}/health", verify=NO_TLS)
        told = run("doctor", url, tmp_path, MEMFERRY_URL=service.url)
        with worker(url, tmp_path, tmp_path / "worker.log"):
            until_ready(service)
            well = run("doctor", url, tmp_path, MEMFERRY_URL=service.url)
        gone, after = wait_until(lambda: without_worker(service))

    assert (status, body["ready"], body["worker"]) == (503, False, "none has signed in")
    assert "none has signed in" in body["error"]
    assert healthy.json() == {"ok": True}
    assert told.returncode == 1
    assert "memferry worker" in told.stdout
    assert well.returncode == 0, well.stdout
    assert (gone, after["worker"]) == (503, "none has signed in")


def without_worker(service: Service) -> tuple[int, dict[str, Any]] | None:
    status, body = ready(service)
    return (status, body) if body["worker"] != "ok" else None


def test_readiness_names_a_halted_worker(url: str, tmp_path: Path) -> None:
    with (
        served(url, tmp_path, "--no-worker") as service,
        worker(url, tmp_path, tmp_path / "worker.log") as process,
    ):
        until_ready(service)
        process.send_signal(signal.SIGSTOP)
        asyncio.run(
            execute(url, "UPDATE memferry.workers SET seen_at = now() - interval '1 minute'")
        )
        status, body = wait_until(lambda: without_worker(service))
        told = run("doctor", url, tmp_path, MEMFERRY_URL=service.url)

    assert status == 503
    assert body["worker"].startswith("none has been heard of for 6")
    (line,) = [line for line in told.stdout.splitlines() if f"process {process.pid}," in line]
    assert line.startswith("wrong  worker: ")
    assert ": halted or gone, heard of 6" in line


def test_doctor_names_each_worker_with_its_database_and_store(url: str, tmp_path: Path) -> None:
    with (
        served(url, tmp_path, "--no-worker") as service,
        worker(url, tmp_path, tmp_path / "worker.log") as process,
    ):
        until_ready(service)
        sign_in(url, "gone", "working", "1 hour")
        with_one_gone = run("doctor", url, tmp_path, MEMFERRY_URL=service.url)
        sign_in(url, "elsewhere", "other_store", "1 second")
        with_one_elsewhere = run("doctor", url, tmp_path, MEMFERRY_URL=service.url)

    assert with_one_gone.returncode == 0, with_one_gone.stdout
    assert f"process {process.pid}, memferry" in with_one_gone.stdout
    assert ": working, heard of" in with_one_gone.stdout
    assert "note   worker: gone process 1, memferry 0: halted or gone" in with_one_gone.stdout
    assert with_one_elsewhere.returncode == 1
    assert (
        "wrong  worker: elsewhere process 1, memferry 0: halted: looks at another store"
        in with_one_elsewhere.stdout
    )


def sign_in(url: str, host: str, status: str, since: str) -> None:
    """Put a worker of that host on the list, heard of that long ago."""
    with open_session(url) as sql:
        sql(
            "INSERT INTO memferry.workers (id, host, pid, version, status, seen_at)"
            " VALUES ($1, $1, 1, '0', $2, now() - $3::text::interval)",
            host,
            status,
            since,
        )


def test_doctor_on_the_machine_of_a_worker_reports_no_missing_api(url: str, tmp_path: Path) -> None:
    with worker(url, tmp_path, tmp_path / "worker.log"):
        wait_until(lambda: asyncio.run(workers(url)) == 1)
        told = run("doctor", url, tmp_path)
        wrong = run("doctor", url, tmp_path, MEMFERRY_URL="http://127.0.0.1:9")

    assert told.returncode == 0, told.stdout
    assert "note   service: none at http://127.0.0.1:3122" in told.stdout
    assert wrong.returncode == 1


def test_doctor_says_when_the_log_of_postgresql_may_repeat_filters(
    url: str, tmp_path: Path
) -> None:
    database = urlsplit(url).path.removeprefix("/")
    asyncio.run(execute(url, f"ALTER DATABASE {database} SET log_statement = 'all'"))
    told = run("doctor", url, tmp_path).stdout
    fault = re.search(r"^note +log: .*log_statement is all", told, re.MULTILINE)
    remedy = re.search(r"ALTER ROLE (\S+) SET log_statement = 'none'", told)
    assert remedy is not None
    asyncio.run(execute(url, remedy[0]))
    try:
        mended = run("doctor", url, tmp_path).stdout
    finally:
        asyncio.run(execute(url, f"ALTER ROLE {remedy[1]} RESET log_statement"))

    assert fault is not None
    assert "log_statement" not in mended


def test_doctor_before_the_first_start_says_so_and_creates_nothing(
    database_url: str, tmp_path: Path
) -> None:
    with unmigrated(database_url) as url:
        told = run("doctor", url, tmp_path / "data")

    assert told.returncode == 1
    assert "run: memferry migrate" in told.stdout
    assert "worker: no worker does its work: none has signed in" in told.stdout
    assert "Traceback" not in told.stdout + told.stderr
    assert not (tmp_path / "data").exists()


def test_a_completed_export_without_its_file_has_no_link_and_the_log_says_so(
    service: Service, alice: Person
) -> None:
    alice.save_many(MANY)
    export = alice.wait_for(alice.export())
    (file,) = service.store.glob(f"*/{export['id']}/1")
    file.unlink()
    after = alice.get(f"/api/memories/exports/{export['id']}").json()

    assert export["download_url"] is not None
    assert (after["status"], after["download_url"]) == ("completed", None)
    warned = f"export {export['id']} is completed, and its file is not in the object store"
    wait_until(lambda: warned in service.log.read_text())


async def test_a_loop_logs_a_repeated_fault_once(caplog: pytest.LogCaptureFixture) -> None:
    ticks = 0

    async def fail() -> bool:
        nonlocal ticks
        ticks += 1
        if ticks == 3:
            loop.stop()
        loop.wake()
        raise LookupError("the same each time")

    loop = Loop("failing", fail, channel=None)
    async with asyncio.timeout(10):
        await loop.run()

    assert ticks == 3
    assert [record.getMessage() for record in caplog.records] == [
        "failing: failed: LookupError('the same each time')"
    ]
    assert caplog.records[0].exc_info is not None


def test_readiness_needs_no_token_and_shows_no_address(service: Service, charlie: Person) -> None:
    answer = charlie.get("/api/health/ready")

    assert answer.status_code in (200, 503)
    assert str(service.home) not in answer.text
    assert set(answer.json()) <= {
        "ready", "database", "store", "worker", "database_id", "error", "code",
    }  # fmt: skip


def test_doctor_says_when_its_settings_name_another_database_than_the_service(
    url: str, service: Service
) -> None:
    told = run("doctor", url, service.home, MEMFERRY_URL=service.url)

    assert told.returncode == 1
    assert re.search(r"works on another database \(identity \w{8}\) than these sett", told.stdout)


def test_a_worker_before_the_first_migration_logs_one_line_and_waits(
    database_url: str, tmp_path: Path
) -> None:
    log = tmp_path / "worker.log"
    with unmigrated(database_url) as url, worker(url, tmp_path, log):
        wait_until(lambda: "the worker waits" in log.read_text())
        migrated = run("migrate", url, tmp_path)
        wait_until(lambda: asyncio.run(workers(url)) == 1)

    assert migrated.returncode == 0

    assert "Traceback" not in log.read_text()
    assert log.read_text().count("has no schema of memferry yet") == 1


@contextmanager
def unmigrated(database_url: str) -> Iterator[str]:
    """A database without a schema of ours."""
    name = f"memferry_unmigrated_{uuid4().hex[:12]}"
    asyncio.run(execute(database_url, f"CREATE DATABASE {name}"))
    yield urlsplit(database_url)._replace(path=f"/{name}").geturl()
    asyncio.run(execute(database_url, f"DROP DATABASE {name} WITH (FORCE)"))


async def workers(url: str) -> int:
    connection = await asyncpg.connect(url)
    number: int = await connection.fetchval("SELECT count(*) FROM memferry.workers")
    await connection.close()
    return number
