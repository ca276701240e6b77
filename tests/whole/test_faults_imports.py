"""Imports whose worker, database or store dies at some moment: each happens once, or not at all."""

import os
import random
import signal
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import asyncpg
import httpx
import pytest

from support.faults import Plant
from support.imports import make_row, write_ndjson
from support.waiting import wait_until

pytestmark = pytest.mark.faults
pytest_plugins = ["support.plants"]

_ROWS = 5_000
_ROUNDS, _FULL_ROUNDS = 4, 40
_COUNTS = """
SELECT count(*) FILTER (WHERE namespace = $1) AS there,
    count(*) - (SELECT sum(rows) FROM memferry.memory_usage) AS uncounted
FROM memferry.memories
"""


def send(plant: Plant, namespace: str) -> str:
    """Send a file of rows of one namespace to import; its id."""
    file = write_ndjson(*(make_row(f"row {i}", namespace=namespace) for i in range(_ROWS)))

    def try_once() -> str | None:
        answer = plant.person.post("/api/memories/imports", content=file)
        assert answer.status_code in (201, 503), answer.text
        return str(answer.json()["id"]) if answer.is_success else None

    # The fault of the round before may not be over yet.
    return wait_until(try_once, seconds=60, every=0.2)


def show(plant: Plant, import_id: str) -> dict[str, Any] | None:
    """The import once it has ended; None before, and while the service is away."""
    try:
        answer = plant.person.get(f"/api/memories/imports/{import_id}")
    except httpx.TransportError:
        return None
    if answer.status_code == 503:
        return None
    job: dict[str, Any] = answer.json()
    return None if job["status"] in ("pending", "running") else job


def count(plant: Plant, namespace: str) -> asyncpg.Record:
    (counts,) = plant.sql(_COUNTS, namespace)
    return counts


def kill_worker(plant: Plant) -> None:
    if (pid := plant.service.worker_pid()) is not None:
        os.kill(pid, signal.SIGKILL)


def kill_database(plant: Plant) -> None:
    if (pid := plant.postgres()) is not None:
        os.kill(pid, signal.SIGKILL)


def cut_connections(plant: Plant) -> None:
    plant.cut_connections()


def take_store_away(plant: Plant) -> None:
    store = plant.service.store
    hidden = store.with_name("away")
    store.rename(hidden)
    time.sleep(1)
    hidden.rename(store)


_FAULTS: tuple[Callable[[Plant], None], ...] = (
    kill_worker, kill_database, cut_connections, take_store_away,
)  # fmt: skip


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("fault", _FAULTS, ids=lambda fault: fault.__name__)
def test_an_import_that_meets_a_fault_at_any_moment_happens_once(
    plant: Plant,
    seed: int,
    full: bool,
    fault: Callable[[Plant], None],
) -> None:
    chance = random.Random(seed)
    for number in range(_FULL_ROUNDS if full else _ROUNDS):
        namespace = f"{fault.__name__} {number}"
        with plant.let_service_help():
            import_id = send(plant, namespace)
            time.sleep(chance.uniform(0, 2))
            fault(plant)
            time.sleep(0.5)  # what has died may still seem to answer
            wait_until(plant.answers, seconds=60)
            job = wait_until(partial(show, plant, import_id), seconds=60)
            # What a worker leaves that dies right after its commit, the next one sweeps.
            plant.assert_files([], import_id)
        counts = count(plant, namespace)

        assert (job["status"], job["report"]["created"]) == ("completed", _ROWS), job
        assert (counts["there"], counts["uncounted"]) == (_ROWS, 0)


@pytest.mark.timeout(7200)
def test_an_import_cancelled_at_any_moment_is_there_whole_or_not_at_all(
    plant: Plant,
    seed: int,
    full: bool,
) -> None:
    chance = random.Random(seed)
    for number in range(_FULL_ROUNDS if full else _ROUNDS):
        namespace = f"cancelled {number}"
        with plant.let_service_help():
            import_id = send(plant, namespace)
            time.sleep(chance.uniform(0, 3))
            plant.person.delete(f"/api/memories/imports/{import_id}")
            left = plant.sql("SELECT status FROM memferry.jobs WHERE id = $1", import_id)
            plant.assert_files([], import_id)
        counts = count(plant, namespace)

        # A finished one was forgotten, and its memories stay.
        assert [row["status"] for row in left] in ([], ["cancelled"])
        assert counts["there"] == (0 if left else _ROWS)
        assert counts["uncounted"] == 0
