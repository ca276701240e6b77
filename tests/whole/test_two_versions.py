"""A worker of the version before beside one of this version, on this version's schema."""

import io
import signal
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.faults import Plant, Step, alive, run_plant, until

pytestmark = pytest.mark.faults
pytest_plugins = ["support.plants"]

# The last one whose schema is the first migration alone.
_OLD_VERSION = "34bb356"
_REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment in which `python -m memferry` is the version before."""
    try:
        archive = subprocess.run(
            ["git", "archive", _OLD_VERSION, "src"],  # noqa: S607 - whichever git is there
            cwd=_REPOSITORY,
            check=True,
            capture_output=True,
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip(f"no git here, or not the commit {_OLD_VERSION}: no old version to run")
    place = tmp_path_factory.mktemp("old")
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(place, filter="data")
    migrations = sorted((place / "src/memferry/database/migrations").glob("*.sql"))
    assert [each.stem for each in migrations] == ["0001_core"]
    return {"PYTHONPATH": str(place / "src")}


@pytest.fixture(scope="module")
def standing(request: pytest.FixtureRequest, old: dict[str, str]) -> Iterator[Plant]:
    del old  # skips before anything is started
    with run_plant(request) as plant:
        yield plant


def test_the_old_environment_runs_the_old_version(old: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import memferry; print(memferry.__path__[0])"],
        env=old,
        check=True,
        capture_output=True,
        text=True,
    )

    assert done.stdout.startswith(old["PYTHONPATH"])


def test_both_versions_finish_exports_side_by_side(plant: Plant, old: dict[str, str]) -> None:
    exports = [plant.ask() for _ in range(6)]
    with plant.close_gate(Step.MIDDLE) as gate:
        workers = [plant.start_worker(**old), plant.start_worker()]
        # Two of each worker: both versions have theirs.
        until(lambda: gate.count_waiting() == 4)
        holders = {plant.holder(each) for each in exports}
    for each in exports:
        plant.assert_right(each)

    assert holders >= set(workers)
    assert all(alive(each) for each in workers)
    for each in exports:
        assert plant.row(each)["attempt"] == 1
        plant.assert_one_file(each)


@pytest.mark.parametrize("dies", ["old", "new"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_each_version_takes_over_from_the_other(
    plant: Plant, old: dict[str, str], dies: str, number: int
) -> None:
    first, second = (old, {}) if dies == "old" else ({}, old)
    export_id = plant.ask()
    with plant.close_gate(Step.MIDDLE) as gate:
        victim = plant.start_worker(**first)
        gate.wait()
        victim.send_signal(number)
        victim.wait(15)
    plant.start_worker(**second)
    plant.assert_right(export_id)

    assert plant.row(export_id)["attempt"] == 2
    with plant.let_service_help():  # a worker of the version before sweeps nothing
        plant.assert_one_file(export_id)


@pytest.mark.parametrize("sleeps", ["old", "new"])
def test_a_worker_of_one_version_cannot_disturb_what_the_other_took_over(
    plant: Plant, old: dict[str, str], sleeps: str
) -> None:
    first, second = (old, {}) if sleeps == "old" else ({}, old)
    export_id = plant.ask()
    with plant.close_gate(Step.MIDDLE) as gate:
        sleeper = plant.start_worker(**first)
        gate.wait()
        sleeper.send_signal(signal.SIGSTOP)
    plant.start_worker(**second)
    plant.assert_right(export_id)
    before = plant.row(export_id)
    sleeper.send_signal(signal.SIGCONT)
    plant.assert_one_file(export_id)

    assert alive(sleeper)
    # Only the sweep of a new worker adds what an old one does not know.
    assert plant.row(export_id) | {"expires_at": None} == before | {"expires_at": None}


def test_what_an_old_worker_has_completed_expires_like_the_rest(
    plant: Plant, old: dict[str, str]
) -> None:
    plant.start_worker(**old)
    export_id = plant.ask()
    plant.assert_right(export_id)
    with plant.let_service_help():  # a worker of this version, which sweeps
        until(lambda: plant.row(export_id)["expires_at"])

    assert plant.row(export_id)["expires_at"] > plant.row(export_id)["completed_at"]
