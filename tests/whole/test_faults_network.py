"""Real network cuts between a machine and the database: in a request, in a COPY, at a commit."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from memferry.database.migrate import migrate
from memferry.tenants.operator import Operator
from support.network import Machine, machine, needs_namespaces
from support.people import Person
from support.postgres import open_database
from support.service import NO_TLS, find_free_port
from support.sessions import open_session
from support.tcp_postgres import run_tcp_postgres
from support.waiting import wait_until

pytestmark = [pytest.mark.faults, needs_namespaces, pytest.mark.timeout(300)]

# What the sockets give a silent network is 15 s, plus a probe and a moment.
SOON_SECONDS = 25
ROWS = 300_000
_FILL = f"""
INSERT INTO memferry.memories (tenant_id, id, content, namespace, tags, source, created_at,
    updated_at)
SELECT tenants.id, gen_random_uuid(), repeat('x', 500), 'main', '{{}}', 'agent', n, n
FROM memferry.tenants, generate_series(1, {ROWS}) AS n WHERE name = 'alice'
"""
# A commit that waits for a lock, as one waits for a slow disk or a standby.
_SLOW_COMMIT = """
CREATE FUNCTION memferry.wait() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(77);
    RETURN NEW;
END
$$;
CREATE CONSTRAINT TRIGGER slow_commit AFTER INSERT ON memferry.memories
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.namespace = 'slow') EXECUTE FUNCTION memferry.wait();
"""


@dataclass(frozen=True)
class Site:
    """A database here, and a machine that reaches it by a cable."""

    machine: Machine
    url: str
    far_url: str
    home: Path
    token: str

    def sessions(self, condition: str) -> int:
        """How many sessions of the machine there are of which that is true."""
        query = f"SELECT count(*) FILTER (WHERE {condition}) FROM pg_stat_activity"
        with open_session(self.url) as session:
            (row,) = session(
                f"{query} WHERE client_addr = $1::text::inet", self.machine.database.far
            )
        number: int = row[0]
        return number


@pytest.fixture
def site(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Site]:
    with machine() as far, run_tcp_postgres(request.config.getoption("--postgres-bin")) as port:
        url = f"postgresql://owner@127.0.0.1:{port}/postgres"
        asyncio.run(migrate(url))
        token = asyncio.run(Operator(url).create_token("alice", ""))
        far_url = f"postgresql://owner@{far.database.near}:{port}/postgres"
        yield Site(far, url, far_url, tmp_path, token.text)


@contextmanager
def started(
    site: Site, words: list[str], url: str, log: Path | None = None
) -> "Iterator[subprocess.Popen[bytes]]":
    log = log or site.home / f"{time.monotonic_ns()}.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [*words, "--data-dir", str(site.home)],
            env=os.environ
            | {"MEMFERRY_DATABASE_URL": url, "MEMFERRY_STORAGE_URL": (site.home / "s").as_uri()},
            stdout=file,
            stderr=file,
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        process.wait(60)
        # Also with its network cut nobody waits long for a process that is asked to stop.
        assert time.monotonic() - began < SOON_SECONDS, log.read_text()


@contextmanager
def far_api(site: Site) -> Iterator[Person]:
    """An API on the machine, and Alice, who reaches it by another cable."""
    port = find_free_port()
    words = [sys.executable, "-m", "memferry", "serve", "--no-worker", "--port", str(port)]
    host = site.machine.users.far
    with started(site, site.machine.command(*words, "--host", host), site.far_url):
        url = f"http://{host}:{port}"
        wait_until(lambda: _answers(url))
        with Person("alice", url, site.token) as alice:
            yield alice


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", verify=NO_TLS).is_success
    except httpx.TransportError:
        return False


def assert_away(answer: httpx.Response, seconds: float) -> None:
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    assert int(answer.headers["retry-after"]) >= 1
    assert seconds < SOON_SECONDS


def cut_and_assert_away(site: Site, waiting: "Future[httpx.Response]") -> None:
    """Cut the cable under a request that waits in the database."""
    site.machine.database.cut()
    began = time.monotonic()
    assert_away(waiting.result(), time.monotonic() - began)


def test_requests_behind_a_cut_cable_are_refused_soon_and_served_once_it_is_mended(
    site: Site,
) -> None:
    with far_api(site) as alice, ThreadPoolExecutor(30) as pool:
        # Fill the pool with connections that are open when the cable is cut.
        list(pool.map(lambda number: alice.save(f"before {number}"), range(30)))
        site.machine.database.cut()
        began = time.monotonic()
        cut = list(pool.map(lambda _: alice.get("/api/memories"), range(30)))
        seconds = time.monotonic() - began
        site.machine.database.mend()
        after = wait_until(lambda: served(alice), seconds=10).json()

    for answer in cut:
        assert_away(answer, seconds)
    assert len(after) == 30


def served(alice: Person) -> httpx.Response | None:
    """What Alice gets, once she is served."""
    answer = alice.get("/api/memories")
    return answer if answer.is_success else None


def test_a_request_that_waits_in_the_database_ends_on_both_sides_when_the_cable_is_cut(
    site: Site,
) -> None:
    with far_api(site) as alice, ThreadPoolExecutor(1) as pool, open_session(site.url) as owner:
        owner("BEGIN")
        owner("LOCK memferry.memories")
        waiting = pool.submit(lambda: alice.post("/api/memories", json={"content": "lost"}))
        wait_until(lambda: site.sessions("wait_event_type = 'Lock'"))
        cut_and_assert_away(site, waiting)
        wait_until(lambda: site.sessions("wait_event_type = 'Lock'") == 0, seconds=SOON_SECONDS)
        owner("COMMIT")
        site.machine.database.mend()
        kept = wait_until(lambda: served(alice))

    assert kept.json() == []


def test_a_save_whose_commit_is_cut_off_is_not_answered_as_saved(site: Site) -> None:
    with open_session(site.url) as owner:
        owner.script(_SLOW_COMMIT)
        with far_api(site) as alice, ThreadPoolExecutor(1) as pool:
            owner("SELECT pg_advisory_lock(77)")
            body = {"content": "lost", "namespace": "slow"}
            waiting = pool.submit(lambda: alice.post("/api/memories", json=body))
            wait_until(lambda: site.sessions("query = 'COMMIT' AND wait_event_type = 'Lock'"))
            cut_and_assert_away(site, waiting)
            wait_until(lambda: site.sessions("query = 'COMMIT'") == 0, seconds=SOON_SECONDS)
            owner("SELECT pg_advisory_unlock(77)")
            site.machine.database.mend()

            assert wait_until(lambda: served(alice)).json() == []


def test_an_export_whose_worker_is_cut_off_is_completed_by_another_and_its_session_ends(
    site: Site,
) -> None:
    with open_session(site.url) as owner:
        owner.script(_FILL)
    words, log = [sys.executable, "-m", "memferry", "worker"], site.home / "far.log"
    far_words = site.machine.command(*words)
    with far_api(site) as alice, started(site, far_words, site.far_url, log) as far:
        export = alice.export(format="ndjson")
        wait_until(lambda: site.sessions("query LIKE 'COPY%' AND state = 'active'"), every=0.001)
        site.machine.database.cut()
        with started(site, words, site.url):
            wait_until(lambda: site.sessions("xact_start IS NOT NULL") == 0, seconds=45)
            row = wait_until(lambda: _completed(site, export["id"]), seconds=120)
            site.machine.database.mend()
            done = alice.wait_for(alice.get(f"/api/memories/exports/{export['id']}").json())

        assert far.poll() is None
    assert row["attempt"] == 2
    assert "Traceback" not in log.read_text()
    assert done["row_count"] == ROWS


def test_a_reader_that_is_slow_loses_no_export(request: pytest.FixtureRequest) -> None:
    with run_tcp_postgres(request.config.getoption("--postgres-bin")) as port:
        taken = asyncio.run(read_slowly(f"postgresql://owner@127.0.0.1:{port}/postgres"))

    assert taken == 100_000_000


async def read_slowly(url: str) -> int:
    """Copy many bytes and stop for a while after the first ones; how many came."""
    taken = 0

    async def take(data: bytes) -> None:
        nonlocal taken
        if taken == 0:
            # Longer than a network may be silent: no room is no silence.
            await asyncio.sleep(20)
        taken += len(data)

    await migrate(url)
    async with (
        open_database(url) as database,
        database.tenant(UUID(int=1), snapshot=True, long_running=True) as connection,
    ):
        many = "SELECT repeat('x', 999) FROM generate_series(1, 100000)"
        await connection.copy_from_query(many, output=take)
    return taken


def _completed(site: Site, export_id: str) -> dict[str, Any] | None:
    with open_session(site.url) as session:
        (row,) = session("SELECT status, attempt FROM memferry.jobs WHERE id = $1", export_id)
    return dict(row) if row["status"] == "completed" else None
