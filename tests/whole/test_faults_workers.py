"""Workers that are killed, stopped, asked to end, or wrong about the time, at every moment."""

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import asyncpg
import pytest

from support.faults import CLEAN, POISONED, Plant, is_alive, list_published
from support.gates import FIRST_ROWS, Step
from support.waiting import wait_until

pytestmark = pytest.mark.faults
pytest_plugins = ["support.plants"]

_ORDER = {"pending": 0, "running": 1, "completed": 2}
_KILLS_PER_ROUND = 50
_WORKERS = 4
_IN_FLIGHT = 4
_SHIFTED_CLOCK = """
import time
_time, _time_ns = time.time, time.time_ns
time.time = lambda: _time() + {seconds}
time.time_ns = lambda: _time_ns() + {seconds} * 10**9
"""


class Watch:
    """What was seen of exports in flight: neither status nor progress may go backwards."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self.seen: dict[str, tuple[int, int]] = {}

    @property
    def in_flight(self) -> list[str]:
        """Those that are not completed, as far as was seen."""
        return [each for each, (order, _) in self.seen.items() if order < _ORDER["completed"]]

    def top_up(self) -> None:
        """Ask until enough are in flight, if the service answers at all."""
        while len(self.in_flight) < _IN_FLIGHT:
            answer = self._plant.person.post("/api/memories/exports", json=CLEAN)
            if answer.status_code == 503:
                return
            assert answer.status_code == 201, answer.text
            self.seen[answer.json()["id"]] = (0, 0)

    def look(self) -> bool:
        """Compare each with what it was; whether all are completed."""
        for export_id in self.in_flight:
            answer = self._plant.person.get(f"/api/memories/exports/{export_id}")
            if answer.status_code == 503:
                return False
            export = answer.json()
            now = (_ORDER[export["status"]], export["rows_done"])
            before = self.seen[export_id]
            assert now[0] >= before[0], export
            assert now[1] >= before[1], export
            self.seen[export_id] = now
        return not self.in_flight


def kill_one(plant: Plant, chance: random.Random) -> None:
    """Kill -9 PostgreSQL, rarely, or a worker, one with an export in hand if there is any."""
    if chance.random() < 0.03 and (server := plant.postgres()) is not None:
        os.kill(server, signal.SIGKILL)
        return
    try:
        rows = plant.sql("SELECT leased_by FROM memferry.jobs WHERE status = 'running'")
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        rows = []
    busy = {int(row["leased_by"].split("/")[1]) for row in rows}
    workers = [each for each in plant.workers if each.pid in busy] or plant.workers
    victim = chance.choice(workers)
    victim.kill()
    victim.wait()
    plant.workers.remove(victim)
    plant.start_worker()


def storm(plant: Plant, chance: random.Random) -> Watch:
    """One round of kills with exports in flight, and then peace until all are completed."""
    watch = Watch(plant)
    for _ in range(_KILLS_PER_ROUND):
        watch.top_up()
        time.sleep(chance.uniform(0, 0.5))
        kill_one(plant, chance)
        watch.look()
    wait_until(watch.look, seconds=60, every=0.1)
    return watch


def published(plant: Plant) -> list[str]:
    """The files that the rows of completed exports name, as `Plant.files` lists them."""
    rows = plant.sql("SELECT object_key FROM memferry.jobs WHERE status = 'completed'")
    return sorted(name for row in rows for name in list_published(row["object_key"]))


@pytest.mark.timeout(7200)
def test_random_kills_lose_no_export_and_leave_no_dead_object(
    plant: Plant,
    seed: int,
    full: bool,
) -> None:
    chance = random.Random(seed)
    for _ in range(_WORKERS):
        plant.start_worker()
    for _ in range(20 if full else 1):
        watch = storm(plant, chance)

        assert len(watch.seen) >= _IN_FLIGHT
        for export_id in watch.seen:
            plant.assert_right(export_id)
        plant.assert_files(published(plant))
        for export_id in watch.seen:
            plant.person.delete(f"/api/memories/exports/{export_id}")


@pytest.mark.parametrize("step", [each for each in Step if each is not Step.POISON])
def test_an_export_whose_worker_is_killed_at_any_step_completes_once(
    plant: Plant, step: Step
) -> None:
    export_id = plant.ask()
    with plant.close_gate(step) as gate:
        worker = plant.start_worker()
        gate.wait()
        worker.kill()
        worker.wait()
    with plant.let_service_help():
        plant.wait_for(export_id)

        plant.assert_right(export_id)
        assert plant.row(export_id)["attempt"] == (1 if step is Step.PUBLISHED else 2)
        plant.assert_one_file(export_id)


@pytest.mark.parametrize("step", [Step.SNAPSHOT, Step.MIDDLE])
def test_a_worker_stopped_past_its_lease_changes_nothing_and_goes_on(
    plant: Plant, step: Step
) -> None:
    export_id = plant.ask()
    with plant.close_gate(step) as gate:
        worker = plant.start_worker()
        gate.wait()
        worker.send_signal(signal.SIGSTOP)
    with plant.let_service_help():
        plant.wait_for(export_id)
    before = plant.row(export_id)
    worker.send_signal(signal.SIGCONT)
    # The service's own worker sleeps: nobody else can complete this.
    plant.assert_right(plant.ask())

    assert is_alive(worker)
    assert plant.row(export_id) == before
    assert (before["status"], before["attempt"]) == ("completed", 2)
    plant.assert_right(export_id)
    plant.assert_one_file(export_id)


def in_transaction(plant: Plant) -> set[int]:
    """The server's ends of the connections on which workers hold a transaction open."""
    query = "SELECT pid, application_name, xact_start FROM pg_stat_activity"
    return {
        pid
        for pid, program, since in plant.sql(query)
        if program.startswith("memferry worker") and since is not None
    }


def test_a_worker_that_stays_stopped_holds_no_snapshot_for_long(plant: Plant) -> None:
    export_id = plant.ask()
    with plant.close_gate(Step.MIDDLE) as gate:
        halted = plant.start_worker()
        gate.wait()
        halted.send_signal(signal.SIGSTOP)
        held = in_transaction(plant)
    plant.start_worker(MEMFERRY_SNAPSHOT_SECONDS="1")
    wait_until(lambda: not held & in_transaction(plant), seconds=45)
    plant.person.delete(f"/api/memories/exports/{export_id}")

    assert held
    assert is_alive(halted)


def test_progress_does_not_go_back_while_another_worker_starts_over(plant: Plant) -> None:
    export_id = plant.ask()
    with plant.close_gate(Step.MIDDLE):
        worker = plant.start_worker()
        # Further than the other worker will come.
        wait_until(lambda: plant.row(export_id)["rows_done"] > FIRST_ROWS)
        before = plant.row(export_id)["rows_done"]
        worker.kill()
        with plant.close_gate(Step.FIRST_BYTES) as gate:
            plant.start_worker()
            gate.wait()
            # Two renewals long.
            time.sleep(0.6)
            row = plant.row(export_id)
    plant.assert_right(export_id)

    assert row["attempt"] == 2
    assert row["rows_done"] >= before


def waits_for_turn(plant: Plant) -> bool:
    """Whether a session waits for the turn of a tenant; the gates' locks have two keys."""
    waiting = "SELECT FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND NOT granted"
    return bool(plant.sql(waiting))


def test_a_late_publication_changes_nothing_and_removes_its_file(
    plant: Plant,
) -> None:
    export_id = plant.ask()
    with plant.close_gate(Step.NAMED) as gate:
        # No sweeper tidies up behind them.
        late = plant.start_worker(MEMFERRY_SWEEP_SECONDS="3600")
        gate.wait()
        late.send_signal(signal.SIGSTOP)
        plant.start_worker(MEMFERRY_SWEEP_SECONDS="3600")
        # It has written its file, and waits for the turn in which manifests are made.
        wait_until(lambda: waits_for_turn(plant))
        late.send_signal(signal.SIGCONT)
    plant.assert_right(export_id)

    row = plant.row(export_id)
    assert (row["attempt"], row["object_key"].rpartition("/")[2]) == (2, "2")
    plant.assert_one_file(export_id)
    assert is_alive(late)


def test_a_slow_worker_that_renews_its_lease_keeps_its_export(plant: Plant) -> None:
    export_id = plant.ask()
    with plant.close_gate(Step.MIDDLE) as gate:
        plant.start_worker()
        plant.start_worker()
        gate.wait()
        time.sleep(4)
        waiting = gate.count_waiting()
    plant.assert_right(export_id)

    assert waiting == 1
    assert plant.row(export_id)["attempt"] == 1


def test_an_export_that_kills_its_workers_fails_while_others_go_on(plant: Plant) -> None:
    poison = plant.ask(POISONED)
    killed = 0

    def writer() -> "subprocess.Popen[bytes] | None":
        # Whoever has the third attempt only says that it gives up.
        return plant.holder(poison) if plant.row(poison)["attempt"] <= 2 else None

    with plant.close_gate(Step.POISON):
        plant.start_worker(MEMFERRY_EXPORT_ATTEMPTS="2")
        while plant.show(poison)["status"] in ("pending", "running"):
            plant.start_worker(MEMFERRY_EXPORT_ATTEMPTS="2")
            other = plant.ask()
            wait_until(lambda: writer() or plant.show(poison)["status"] == "failed")
            plant.assert_right(other)
            if (worker := writer()) is not None:
                worker.kill()
                killed += 1
        failed = plant.show(poison)

    assert killed == 2
    assert (failed["status"], failed["error_code"]) == ("failed", "worker_lost")
    assert plant.row(poison)["attempt"] == 3
    wait_until(lambda: plant.files(poison) == [], seconds=5)


def test_a_stopped_worker_hands_its_export_back_after_its_grace(plant: Plant) -> None:
    export_id = plant.ask()
    with plant.close_gate(Step.MIDDLE) as gate:
        worker = plant.start_worker()
        gate.wait()
        asked = time.monotonic()
        worker.terminate()
        status = worker.wait(10)
        took = time.monotonic() - asked
        handed_back = plant.row(export_id)
        (lapsed,) = plant.sql(
            "SELECT now() > leased_until FROM memferry.jobs WHERE id = $1", export_id
        )

    assert (status, handed_back["status"], handed_back["failures"]) == (0, "running", 0)
    assert lapsed[0] is True
    assert 1 <= took < 3
    with plant.let_service_help():
        plant.assert_right(export_id)
        plant.assert_one_file(export_id)


def test_a_stopped_worker_completes_an_export_within_its_grace(plant: Plant) -> None:
    export_id = plant.ask()
    with plant.close_gate(Step.MIDDLE) as gate:
        worker = plant.start_worker(MEMFERRY_GRACE_SECONDS="20")
        gate.wait()
        worker.terminate()
        time.sleep(0.5)
        waiting = gate.count_waiting()

    assert waiting == 1
    assert worker.wait(10) == 0
    plant.assert_right(export_id)
    assert plant.row(export_id)["attempt"] == 1


def test_ten_workers_told_twice_to_stop_end_at_once_and_fail_no_export(plant: Plant) -> None:
    export_id = plant.ask()
    with plant.close_gate(Step.MIDDLE) as gate:
        for _ in range(10):
            plant.start_worker(MEMFERRY_GRACE_SECONDS="60", MEMFERRY_EXPORT_ATTEMPTS="2")
        for _ in range(10):
            gate.wait()
            worker = wait_until(lambda: plant.holder(export_id))
            failures = plant.row(export_id)["failures"]
            worker.terminate()
            time.sleep(0.05)
            worker.terminate()

            assert worker.wait(3) == 0
            assert failures == 1, "more than the attempt that ran was counted"
    with plant.let_service_help():
        plant.assert_right(export_id)

    assert plant.row(export_id)["attempt"] == 11


def shifted(directory: Path, seconds: int) -> dict[str, str]:
    """The environment of a process whose wall clock is wrong by that much."""
    directory.mkdir()
    (directory / "sitecustomize.py").write_text(_SHIFTED_CLOCK.format(seconds=seconds))
    return {"PYTHONPATH": str(directory), "MEMFERRY_WORKER_EXPORTS": "1"}


def test_workers_with_wrong_clocks_steal_no_lease_and_sweep_no_live_object(
    plant: Plant, tmp_path: Path
) -> None:
    exports = [plant.ask() for _ in range(3)]
    with plant.close_gate(Step.MIDDLE) as gate:
        for name, seconds in (("early", 3600), ("late", -3600), ("right", 0)):
            plant.start_worker(**shifted(tmp_path / name, seconds))
        wait_until(lambda: gate.count_waiting() == 3)
        # Several leases and sweeps long.
        time.sleep(2.5)
        waiting = gate.count_waiting()
    for each in exports:
        plant.assert_right(each)
    time.sleep(1.2)

    assert waiting == 3
    for each in exports:
        plant.assert_right(each)
        plant.assert_one_file(each)
        assert plant.row(each)["attempt"] == 1
