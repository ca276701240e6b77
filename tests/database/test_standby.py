"""Exports from a standby: the same bytes, nothing missing, and the primary when it is not fit."""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from memferry.database.migrate import migrate
from memferry.database.pool import SERVICE_ROLE, Connection, Database
from memferry.database.sql import sql
from memferry.database.standby import Standby
from memferry.errors import DatabaseUnavailable, TransactionConflict
from memferry.exports.read.snapshot import Reader
from memferry.exports.request import NEEDS, TYPE, ExportRequest
from memferry.jobs.queue import Queue
from memferry.model.job import Claim, qualify_needs
from memferry.settings import WorkerSettings
from support.database_relay import run_database_relay
from support.faults import CLEAN, POISONED, Gate, Plant, Step, open_session, run_plant, wait_until
from support.postgres import open_database
from support.service import find_free_port
from support.standby import generate_log, has_replayed, promote, run_standby
from support.tcp_postgres import TcpServer, run_tcp_server

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

_WROTE = r"export {}: attempt (\d+) wrote .* on the (\w+) was held"
_NOT_READ = "exports are read from the primary, not from the standby: "
# Sessions of workers in a transaction.
_READERS = (
    "SELECT pid FROM pg_stat_activity"
    " WHERE application_name LIKE 'memferry worker%' AND xact_start IS NOT NULL"
)
_WAITING = (
    "SELECT pid FROM pg_stat_activity"
    " WHERE application_name LIKE 'memferry worker%' AND query LIKE '%pg_last_wal_replay_lsn%'"
)


@dataclass
class Site:
    """A plant over a server of its own, whose workers may read from a standby."""

    plant: Plant
    primary: TcpServer

    def log(self) -> str:
        return (self.plant.place / "workers.log").read_text()

    def start_worker(self, standby: str) -> "subprocess.Popen[bytes]":
        return self.plant.start_worker(MEMFERRY_EXPORT_DATABASE_URL=standby)

    def written(self, export_id: str) -> tuple[int, str]:
        """The attempt that has written an export, and where it has read it."""
        (wrote,) = re.findall(_WROTE.format(export_id), self.log())
        return int(wrote[0]), wrote[1]

    def content(self, export_id: str) -> str:
        """What a completed export holds."""
        return httpx.get(self.plant.wait_for(export_id)["download_url"]).text

    def doctor(self, standby: str) -> list[str]:
        """What doctor says of a standby."""
        settings = {"MEMFERRY_EXPORT_DATABASE_URL": standby}
        done = subprocess.run(
            [sys.executable, "-m", "memferry", "doctor", "--data-dir", str(self.plant.place)],
            env=os.environ | self.plant.service.environment | settings,
            check=False,
            capture_output=True,
            text=True,
        )
        assert "Traceback" not in done.stderr
        return [line for line in done.stdout.splitlines() if " standby: " in line]


@pytest.fixture(scope="module")
def standing(request: pytest.FixtureRequest) -> Iterator[Site]:
    with run_tcp_server(request.config.getoption("--postgres-bin")) as primary:
        with open_session(primary.url()) as session:
            session("CREATE DATABASE memferry")
        with run_plant(request, primary.url("memferry")) as plant:
            yield Site(plant, primary)


@pytest.fixture
def site(standing: Site) -> Iterator[Site]:
    """The site, whose workers end with the test, and have met no fault that they do not know."""
    (standing.plant.place / "workers.log").write_text("")
    yield standing
    standing.plant.end_workers()
    assert "Traceback" not in standing.log()
    assert "internal error" not in standing.log()


@contextmanager
def close_gate(server: TcpServer, step: Step) -> Iterator[Gate]:
    """Close a gate on one server; what reads there waits, what reads elsewhere does not."""
    with open_session(server.url("memferry")) as session:
        yield Gate(session, step)


def count(server: TcpServer, query: str) -> int:
    """How many sessions of a server there are of that kind."""
    with open_session(server.url("memferry")) as session:
        return len(session(query))


def test_an_export_from_a_standby_has_the_bytes_of_one_from_the_primary(site: Site) -> None:
    with run_standby(site.primary) as standby:
        site.start_worker(standby.url("memferry"))
        export = site.plant.ask()
        site.plant.assert_right(export)

    assert site.written(export) == (1, "standby")
    assert _NOT_READ not in site.log()


def test_an_export_from_a_standby_waits_for_all_earlier_saves(site: Site) -> None:
    with run_standby(site.primary) as standby, open_session(standby.url()) as session:
        site.start_worker(standby.url("memferry"))
        site.plant.assert_right(site.plant.ask())
        session("SELECT pg_wal_replay_pause()")
        before = site.plant.person.save("saved before the request", namespace="late")
        export = site.plant.ask(POISONED)
        wait_until(lambda: count(standby, _WAITING))
        after = site.plant.person.save("saved after the request", namespace="late")
        session("SELECT pg_wal_replay_resume()")
        content = site.content(export)

    done = site.plant.show(export)
    assert "saved before the request" in content
    assert before["created_at"] <= done["snapshot_at"] <= after["created_at"]
    assert site.written(export) == (1, "standby")


def test_a_standby_that_lags_too_far_is_not_waited_for(site: Site) -> None:
    with run_standby(site.primary, "recovery_min_apply_delay=1h") as standby:
        site.start_worker(standby.url("memferry"))
        site.plant.person.save("not replayed", namespace="late")
        exports = [site.plant.ask(POISONED) for _ in range(3)]
        contents = [site.content(export) for export in exports]

    assert all("not replayed" in content for content in contents)
    assert {site.written(export) for export in exports} == {(1, "primary")}
    assert site.log().count(_NOT_READ) == 1
    assert "it has not replayed within 10 s what the primary has" in site.log()


def crash(standby: TcpServer) -> None:
    """Kill one session of a worker: the server then ends all others and starts anew by itself."""
    with open_session(standby.url("memferry")) as session:
        reader, *_ = session(_READERS)
    os.kill(reader["pid"], signal.SIGKILL)


@pytest.mark.parametrize(
    "end", [TcpServer.kill, TcpServer.stop, crash], ids=lambda end: end.__name__
)
def test_an_export_whose_standby_dies_is_written_from_the_primary(
    site: Site, end: Callable[[TcpServer], None]
) -> None:
    with run_standby(site.primary) as standby:
        site.start_worker(standby.url("memferry"))
        with close_gate(standby, Step.MIDDLE) as gate:
            export = site.plant.ask()
            gate.wait()
            end(standby)
        site.plant.assert_right(export)

    assert site.written(export) == (2, "primary")
    site.plant.assert_one_file(export)


@pytest.mark.parametrize("step", [Step.FIRST_BYTES, Step.MIDDLE], ids=lambda step: step.name)
def test_an_export_cancelled_by_recovery_is_written_from_the_primary(
    site: Site, step: Step
) -> None:
    options = ("max_standby_streaming_delay=0", "hot_standby_feedback=off")
    with run_standby(site.primary, *options) as standby:
        site.start_worker(standby.url("memferry"))
        with close_gate(standby, step) as gate:
            export = site.plant.ask()
            gate.wait()
            junk = site.plant.person.save("junk", namespace="junk")
            assert site.plant.person.delete(f"/api/memories/{junk['id']}").is_success
            site.plant.sql("VACUUM memferry.memories")
            reason = wait_until(lambda: site.plant.row(export)["last_error"])
        site.plant.assert_right(export)

    assert reason in (str(TransactionConflict()), str(DatabaseUnavailable()))
    assert site.written(export) == (2, "primary")


def test_a_promotion_during_an_export_changes_no_byte(site: Site) -> None:
    with run_standby(site.primary) as standby:
        site.start_worker(standby.url("memferry"))
        with close_gate(standby, Step.MIDDLE) as gate:
            export = site.plant.ask()
            gate.wait()
            promote(standby)
            with open_session(standby.url("memferry")) as session:
                session("DELETE FROM memferry.memories WHERE source IS DISTINCT FROM 'gate 4'")
                session("VACUUM memferry.memories")
        site.plant.assert_right(export)
        next_export = site.plant.ask()
        site.plant.assert_right(next_export)

    assert site.written(export) == (1, "standby")
    assert site.written(next_export) == (1, "primary")
    assert f"{_NOT_READ}it is not in recovery" in site.log()


def test_an_unreachable_or_promoted_standby_is_logged_once(site: Site) -> None:
    with run_standby(site.primary) as promoted, socket.create_server(("127.0.0.1", 0)) as silent:
        promote(promoted)
        addresses = {
            promoted.url("memferry"): "it is not in recovery",
            f"postgresql://owner@127.0.0.1:{find_free_port()}/memferry": "Errno 111",
            f"postgresql://owner@127.0.0.1:{silent.getsockname()[1]}/memferry": "is away",
        }
        for address, reason in addresses.items():
            worker = site.start_worker(address)
            for export in [site.plant.ask() for _ in range(3)]:
                site.plant.assert_right(export)
                assert site.written(export) == (1, "primary")
            worker.kill()
            worker.wait()
            (told,) = re.findall(f"{_NOT_READ}(.*)", site.log())
            assert reason in told
            (site.plant.place / "workers.log").write_text("")


@pytest.mark.parametrize(
    ("prepare", "reason"),
    [
        (migrate, "it is a standby of another database"),
        (None, 'role "memferry_service" does not exist'),
    ],
    ids=["of memferry", "of something else"],
)
def test_a_standby_of_another_cluster_is_refused(
    site: Site,
    request: pytest.FixtureRequest,
    prepare: Callable[[str], Coroutine[Any, Any, object]] | None,
    reason: str,
) -> None:
    with run_tcp_server(request.config.getoption("--postgres-bin")) as other:
        with open_session(other.url()) as session:
            session("CREATE DATABASE memferry")
        if prepare is not None:
            asyncio.run(prepare(other.url("memferry")))
        with run_standby(other) as standby:
            site.start_worker(standby.url("memferry"))
            export = site.plant.ask()
            site.plant.assert_right(export)
            told = site.doctor(standby.url("memferry"))

    assert site.written(export) == (1, "primary")
    assert f"{_NOT_READ}{reason}" in site.log()
    assert len(told) == 1
    assert told[0].startswith("wrong  standby: it belongs to another cluster")


def test_a_standby_of_a_diverged_copy_is_refused(site: Site) -> None:
    """It has the same identity and a later position, and lacks what was committed since."""
    with run_standby(site.primary) as copy:
        promote(copy)
        with run_standby(copy) as standby:
            site.plant.person.save("not in the copy", namespace="late")
            generate_log(copy, 16 * 1024 * 1024)
            wait_until(lambda: has_replayed(copy, standby))
            site.start_worker(standby.url("memferry"))
            export = site.plant.ask(POISONED)
            content = site.content(export)

    assert "not in the copy" in content
    assert site.written(export) == (1, "primary")
    assert f"{_NOT_READ}it does not show what the primary has committed" in site.log()


@contextmanager
def let_exports_wait(site: Site) -> Iterator[None]:
    """An export that waits, which no later test's worker shall find."""
    export = site.plant.ask()
    try:
        yield
    finally:
        assert site.plant.person.delete(f"/api/memories/exports/{export}").is_success


async def claimed(primary: Database) -> Claim:
    """The claim of an export that waits."""
    claim = await Queue(primary, WorkerSettings(lease_seconds=60)).claim(
        "test", qualify_needs(TYPE, NEEDS)
    )
    assert claim is not None
    return claim


class _PromotedMeanwhile(Database):
    """A standby that is promoted after it was looked at, and before the snapshot is taken."""

    def tenant(self, *whose: Any, ready: Any = None, **more: Any) -> Any:
        async def look(connection: Connection) -> None:
            await ready(connection)
            await connection.execute("SET ROLE NONE; SELECT pg_promote()")
            await connection.execute(f"SET ROLE {SERVICE_ROLE}")

        return super().tenant(*whose, ready=look, **more)


async def begin_promoted(primary_url: str, standby_url: str) -> object:
    async with open_database(primary_url) as primary, AsyncExitStack() as transaction:
        standby = _PromotedMeanwhile(standby_url)
        transaction.push_async_callback(standby.close)
        await standby.open()
        return await Standby(primary, standby).begin(await claimed(primary), transaction)


def test_a_standby_that_is_promoted_before_its_snapshot_is_refused(site: Site) -> None:
    with run_standby(site.primary) as standby, let_exports_wait(site):
        begun = asyncio.run(begin_promoted(site.primary.url("memferry"), standby.url("memferry")))

    assert begun is None


async def export_balanced(primary_url: str, *standby_urls: str) -> tuple[str, str]:
    """The digest of an export from standbys behind one address, and where it was read."""
    request = ExportRequest.parse(json.dumps(CLEAN).encode())
    async with (
        run_database_relay(*standby_urls) as balancer,
        open_database(primary_url) as primary,
        open_database(balancer.url) as standbys,
    ):
        claim = await claimed(primary)
        runs = Reader(primary, standby=Standby(primary, standbys), readers=3)
        async with runs.start(claim.tenant_id, request, claim) as (run, snapshot):
            async for _ in run:
                pass
    return run.sha256.hex(), snapshot.server


def test_readers_on_another_standby_behind_a_balancer_are_left_out(site: Site) -> None:
    with run_standby(site.primary) as one, run_standby(site.primary) as two, let_exports_wait(site):
        urls = [server.url("memferry") for server in (site.primary, one, two)]

        assert asyncio.run(export_balanced(*urls)) == (site.plant.sha256, "standby")


def position_after_switch(primary: TcpServer) -> int:
    """How far into a segment of the log the position is, just after the log was switched."""
    with open_session(primary.url("memferry")) as session:
        session("SET search_path = memferry_service")
        session("SELECT pg_switch_wal()")
        (row,) = session(sql("database/read_position"))
        (size,) = session("SELECT pg_size_bytes(current_setting('wal_segment_size')) AS size")
    position: int = row["lsn"] % size["size"]
    return position


def test_a_position_is_never_behind_a_segment_header_that_no_standby_replays(site: Site) -> None:
    # Whatever else is at work in the server may write a record at any time.
    wait_until(lambda: position_after_switch(site.primary) == 0)


def test_a_halted_worker_holds_no_snapshot_of_the_standby_for_long(site: Site) -> None:
    with run_standby(site.primary) as standby, close_gate(standby, Step.MIDDLE) as gate:
        halted = site.start_worker(standby.url("memferry"))
        export = site.plant.ask()
        gate.wait()
        halted.send_signal(signal.SIGSTOP)
        site.plant.sql("UPDATE memferry.workers SET seen_at = now() - interval '1 minute'")
        assert count(standby, _READERS)
        site.start_worker(standby.url("memferry"))
        wait_until(lambda: count(standby, _READERS) == 0)
        site.plant.assert_right(export)

    assert site.written(export) == (2, "primary")


def test_doctor_reports_the_state_of_a_standby(site: Site) -> None:
    with run_standby(site.primary, "hot_standby_feedback=on") as standby:
        address = standby.url("memferry")
        well = site.doctor(address)
        with open_session(standby.url()) as session:
            session("SELECT pg_wal_replay_pause()")
            site.plant.person.save("not replayed", namespace="late")
            late = site.doctor(address)
        promote(standby)
        promoted = site.doctor(address)
    with run_standby(site.primary, "hot_standby_feedback=off") as standby:
        without_feedback = site.doctor(standby.url("memferry"))
    away = site.doctor(address)

    assert [line[:6] for line in well] == ["ok    ", "ok    "]
    assert "behind the primary by 0." in well[0]
    assert "no export is being read" in well[1]
    assert late[0].startswith("wrong  standby: ")
    assert "replay is paused; exports are read from the primary" in late[0]
    assert promoted[0].startswith("wrong  standby: it is not in recovery")
    assert without_feedback[1].startswith("note   standby: hot_standby_feedback is off")
    assert away[0].startswith("wrong  standby: ")
    assert site.doctor("") == []
