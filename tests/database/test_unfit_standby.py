"""Standbys that are not fit to be read: away, promoted, of another cluster, of a diverged copy."""

import asyncio
import json
import re
import socket
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager
from typing import Any

import pytest

from memferry.database.migrate import migrate
from memferry.database.pool import SERVICE_ROLE, Connection, Database
from memferry.database.standby import Standby
from memferry.exports.read.snapshot import Reader
from memferry.exports.request import NEEDS, TYPE, ExportRequest
from memferry.jobs.queue import Queue
from memferry.model.job import Claim, qualify_needs
from memferry.settings import WorkerSettings
from support.database_relay import run_database_relay
from support.faults import CLEAN, POISONED
from support.postgres import open_database
from support.service import find_free_port
from support.sessions import open_session
from support.sites import NOT_READ, Site
from support.standby import generate_log, has_replayed, promote, run_standby
from support.tcp_postgres import run_tcp_server
from support.waiting import wait_until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]


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
                assert site.find_attempt(export) == (1, "primary")
            worker.kill()
            worker.wait()
            (told,) = re.findall(f"{NOT_READ}(.*)", site.log())
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

    assert site.find_attempt(export) == (1, "primary")
    assert f"{NOT_READ}{reason}" in site.log()
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
    assert site.find_attempt(export) == (1, "primary")
    assert f"{NOT_READ}it does not show what the primary has committed" in site.log()


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
