"""A newer version migrates the database while this one works."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import asyncpg
import pytest

from memferry.database.migrate import migrate
from memferry.database.pool import SERVICE_ROLE
from support.faults import Plant, is_alive, run_plant
from support.gates import Step
from support.postgres import create_database
from support.versions import make_newer_version
from support.waiting import wait_until


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment in which `python -m memferry` is a newer version."""
    return make_newer_version(tmp_path_factory.mktemp("newer"))


@dataclass
class Upgrade:
    """A service and a worker of this version, and a worker of the newer one that has migrated."""

    plant: Plant
    older: "subprocess.Popen[bytes]"
    newer: "subprocess.Popen[bytes]"


@pytest.fixture
def upgrade(request: pytest.FixtureRequest, newer: dict[str, str]) -> Iterator[Upgrade]:
    with run_plant(request) as plant:
        older = plant.start_worker()
        wait_until(lambda: signed_in(plant, older))
        before = plant.person.get("/api/memories/exports").json()
        subprocess.run(
            [sys.executable, "-m", "memferry", "migrate", "--data-dir", str(plant.place)],
            env=os.environ | plant.service.environment | newer,
            check=True,
            capture_output=True,
        )
        worker = plant.start_worker(**newer)
        wait_until(lambda: signed_in(plant, worker))
        wait_until(lambda: plant.person.get("/api/memories/exports").json() == before)
        yield Upgrade(plant, older, worker)


def signed_in(plant: Plant, worker: "subprocess.Popen[bytes]") -> bool:
    """Whether the worker is on the list of workers."""
    return bool(plant.sql("SELECT FROM memferry.workers WHERE pid = $1", worker.pid))


@pytest.mark.faults
def test_both_versions_finish_exports_side_by_side(upgrade: Upgrade) -> None:
    plant = upgrade.plant
    exports = [plant.ask() for _ in range(6)]
    with plant.close_gate(Step.WRITTEN) as gate:
        # Two of each worker: both versions have theirs.
        wait_until(lambda: gate.count_waiting() == 4)
        holders = {plant.holder(export) for export in exports}
    for export in exports:
        plant.assert_right(export)

    assert holders >= {upgrade.older, upgrade.newer}
    assert is_alive(upgrade.older)
    assert is_alive(upgrade.newer)
    for export in exports:
        assert plant.row(export)["attempt"] == 1
        plant.assert_one_file(export)


@pytest.mark.faults
@pytest.mark.parametrize(("dies", "number"), [("older", signal.SIGKILL), ("newer", signal.SIGTERM)])
def test_each_version_takes_over_from_the_other(
    upgrade: Upgrade, dies: str, number: signal.Signals
) -> None:
    plant = upgrade.plant
    victim, heir = (upgrade.older, upgrade.newer)[:: 1 if dies == "older" else -1]
    heir.send_signal(signal.SIGSTOP)
    with plant.close_gate(Step.NAMED) as gate:
        export_id = plant.ask()
        gate.wait()
        victim.send_signal(number)
        victim.wait(15)
        heir.send_signal(signal.SIGCONT)
    plant.assert_right(export_id)

    assert plant.row(export_id)["attempt"] == 2
    plant.assert_one_file(export_id)


@pytest.fixture
def own_url(database_url: str) -> Iterator[str]:
    with create_database(database_url) as url:
        yield url


async def test_a_migration_waits_for_a_long_reader_and_lets_others_pass(own_url: str) -> None:
    service = {"role": SERVICE_ROLE, "search_path": SERVICE_ROLE}
    look = "SELECT count(*) FROM keys"
    reader, other = [await asyncpg.connect(own_url, server_settings=service) for _ in range(2)]
    async with reader.transaction():
        await reader.fetchval(look)
        await forget_views(own_url)
        migrating = asyncio.create_task(migrate(own_url))
        for _ in range(30):
            async with asyncio.timeout(3):
                await other.fetchval(look)
            await asyncio.sleep(0.1)
        waited = not migrating.done()
    applied = await migrating
    answers = [await session.fetchval(look) for session in (reader, other)]
    await asyncio.gather(reader.close(), other.close())

    assert waited
    assert applied == ["views"]
    # Three keys: of the database, of links, of manifests.
    assert answers == [3, 3]


async def forget_views(url: str) -> None:
    """Let the views count as those of another version."""
    owner = await asyncpg.connect(url)
    await owner.execute("COMMENT ON SCHEMA memferry_service IS 'another'")
    await owner.close()
