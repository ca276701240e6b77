"""Stores that are lost or cut off while workers work, and workers that nobody hears of any more."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from memferry.operation.store_identity import KEY
from memferry.operation.workers import HEARTBEAT_SECONDS, MISSING_SECONDS
from memferry.settings import S3Settings
from support.fault_proxy import Fault, FaultProxy, run_fault_proxy
from support.faults import CLEAN, Plant
from support.gates import Step
from support.people import Person, make_person
from support.postgres import create_database
from support.service import NO_TLS, Service, start_service, stop_service
from support.sessions import Session, open_session
from support.stores import make_empty_bucket, run_moto_server
from support.waiting import wait_until

pytestmark = pytest.mark.faults
pytest_plugins = ["support.plants"]

EXPORTS = 4


def test_a_store_lost_while_an_export_is_written_completes_and_counts_nothing(plant: Plant) -> None:
    store, unmounted = plant.service.store, plant.place / "unmounted"
    export_id = plant.ask(CLEAN)
    with plant.close_gate(Step.MIDDLE) as gate:
        plant.start_worker()
        gate.wait()
        store.rename(unmounted)
        store.mkdir()
    wait_until(lambda: plant.row(export_id)["failures"] == 0)
    handed_back = plant.row(export_id)
    wait_until(lambda: "no export is taken" in (plant.place / "workers.log").read_text())
    store.rmdir()
    unmounted.rename(store)
    plant.assert_right(export_id)

    assert (handed_back["status"], handed_back["attempt"]) == ("running", 1)
    assert plant.row(export_id)["failures"] == 1
    plant.assert_one_file(export_id)


def test_a_store_that_changes_while_an_export_is_written_publishes_nothing(plant: Plant) -> None:
    export_id = plant.ask(CLEAN)
    word = (plant.service.store / KEY).read_text()
    with plant.close_gate(Step.MIDDLE) as gate:
        plant.start_worker()
        gate.wait()
        (plant.service.store / KEY).write_text("another")
    wait_until(lambda: plant.row(export_id)["failures"] == 0)
    handed_back = plant.row(export_id)
    (plant.service.store / KEY).write_text(word)
    plant.assert_right(export_id)

    assert (handed_back["status"], handed_back["object_key"]) == ("running", None)
    plant.assert_one_file(export_id)


def test_a_worker_finishing_its_last_export_still_signs_in(plant: Plant) -> None:
    export_id = plant.ask(CLEAN)
    with plant.close_gate(Step.MIDDLE) as gate:
        worker = plant.start_worker(MEMFERRY_GRACE_SECONDS="60")
        gate.wait()
        worker.send_signal(signal.SIGTERM)
        (asked,) = plant.sql("SELECT clock_timestamp()")
        seen = "SELECT FROM memferry.workers WHERE pid = $1 AND seen_at > $2::timestamptz + $3"
        second_sign = timedelta(seconds=HEARTBEAT_SECONDS)
        wait_until(lambda: plant.sql(seen, worker.pid, asked[0], second_sign))
    plant.assert_right(export_id)

    assert worker.wait(30) == 0
    assert plant.row(export_id)["attempt"] == 1
    assert plant.sql("SELECT FROM memferry.workers WHERE pid = $1", worker.pid) == []


@dataclass(frozen=True)
class Hosts:
    """An API alone, and workers on one bucket: some of them reach it through a proxy."""

    service: Service
    proxy: FaultProxy
    alice: Person
    sql: Session

    @contextmanager
    def worker(self, log: Path, **environment: str) -> Iterator["subprocess.Popen[bytes]"]:
        """A worker that has signed in."""
        with log.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "memferry", "worker", "--data-dir", str(self.service.home)],
                env=os.environ | self.service.environment | environment,
                stderr=file,
            )
        try:
            wait_until(lambda: self.sql("SELECT FROM memferry.workers WHERE pid = $1", process.pid))
            yield process
        finally:
            process.send_signal(signal.SIGCONT)
            process.terminate()
            process.wait(30)

    def row(self, export: dict[str, Any]) -> dict[str, Any]:
        (row,) = self.sql("SELECT * FROM memferry.jobs WHERE id = $1", export["id"])
        return dict(row)

    def ready(self) -> tuple[int, dict[str, Any]]:
        answer = httpx.get(f"{self.service.url}/api/health/ready", verify=NO_TLS, timeout=30)
        return answer.status_code, answer.json()


@pytest.fixture
def hosts(database_url: str, tmp_path: Path) -> Iterator[Hosts]:
    with (
        run_moto_server() as s3_url,
        run_fault_proxy(s3_url) as proxy,
        create_database(database_url) as url,
    ):
        make_empty_bucket(S3Settings(endpoint=s3_url, access_key="key", secret_key="secret"))
        settings = {
            "MEMFERRY_DATABASE_URL": url,
            "MEMFERRY_STORAGE_URL": "s3://bucket/exports",
            "MEMFERRY_WORKER_EXPORTS": "1",
            "MEMFERRY_RETRY_SECONDS": "1",
            "AWS_ENDPOINT_URL": s3_url,
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
        }
        service = start_service(tmp_path, "--no-worker", **settings)
        with make_person("alice", service, url) as alice, open_session(url) as session:
            alice.save_many([{"content": f"memory {number}"} for number in range(10_001)])
            yield Hosts(service, proxy, alice, session)
        stop_service(service)


def test_a_worker_without_the_store_claims_no_export_while_another_reaches_it(
    hosts: Hosts, tmp_path: Path
) -> None:
    with (
        hosts.worker(tmp_path / "cut.log", AWS_ENDPOINT_URL=hosts.proxy.url),
        hosts.worker(tmp_path / "well.log"),
    ):
        hosts.proxy.inject(Fault("refuse"))
        exports = [hosts.alice.export() for _ in range(EXPORTS)]
        done = [hosts.alice.wait_for(export) for export in exports]
        hosts.proxy.heal()

    assert [export["status"] for export in done] == ["completed"] * EXPORTS
    assert [hosts.row(export)["attempt"] for export in exports] == [1] * EXPORTS


def test_an_attempt_that_fails_only_on_this_worker_is_not_counted(
    hosts: Hosts, tmp_path: Path
) -> None:
    with (
        hosts.worker(tmp_path / "cut.log", AWS_ENDPOINT_URL=hosts.proxy.url),
        hosts.worker(tmp_path / "well.log") as well,
    ):
        # The list still has it as one that works.
        well.send_signal(signal.SIGSTOP)
        hosts.proxy.inject(Fault("refuse", after=("CreateMultipartUpload", 1)))
        export = hosts.alice.export()
        wait_until(lambda: "left to other workers" in (tmp_path / "cut.log").read_text())
        handed_back = hosts.row(export)
        well.send_signal(signal.SIGCONT)
        done = hosts.alice.wait_for(export)
        hosts.proxy.heal()

    assert (handed_back["attempt"], handed_back["failures"]) == (1, 0)
    assert done["status"] == "completed"
    assert (hosts.row(export)["attempt"], hosts.row(export)["failures"]) == (2, 1)


def test_a_killed_worker_is_reported_missing_in_time(hosts: Hosts, tmp_path: Path) -> None:
    with hosts.worker(tmp_path / "worker.log") as worker:
        wait_until(lambda: hosts.ready()[0] == 200)
        worker.kill()
        worker.wait()
        _, body = wait_until(lambda: not_ready(hosts), seconds=MISSING_SECONDS + 5)

    assert body["worker"].startswith("none has been heard of for")
    wait_until(lambda: "no worker does its work" in hosts.service.log.read_text())


def not_ready(hosts: Hosts) -> tuple[int, dict[str, Any]] | None:
    status, body = hosts.ready()
    return (status, body) if status == 503 else None
