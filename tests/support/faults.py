"""A service to be mistreated: its workers are killed, its PostgreSQL, its connections."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from memferry.database.embedded import EmbeddedPostgres
from support.gates import GATE_ROWS, INSTALL, ROWS, Gate, Step
from support.people import Person, make_person
from support.service import Service, find_child, start_service, stop_service
from support.sessions import open_session
from support.waiting import wait_until

CLEAN = {"format": "ndjson", "namespace": "main"}
"""The export that every test asks for: all rows but one."""
POISONED = {"format": "ndjson"}
"""The export of all rows, which alone passes the gate POISON."""
SETTINGS = {
    "MEMFERRY_LEASE_SECONDS": "1",
    "MEMFERRY_RETRY_SECONDS": "1",
    "MEMFERRY_SWEEP_SECONDS": "1",
    # Chance may kill the same export again and again.
    "MEMFERRY_EXPORT_ATTEMPTS": "1000",
    "MEMFERRY_GRACE_SECONDS": "1",
}


def list_published(key: str) -> list[str]:
    """The objects of a published file, as `Plant.files` lists them."""
    name = key.partition("/")[2]
    return [name, f"{name}.manifest.json", f"{name}.sha256"]


def is_alive(process: "subprocess.Popen[bytes]") -> bool:
    """Whether it still runs."""
    return process.poll() is None


class Plant:
    """A service of its own with one tenant, its clean result, and any number of workers.

    The service's own worker sleeps (SIGSTOP) except inside `helped`: so a test decides which worker
    gets an export.
    """

    def __init__(self, service: Service, person: Person, url: str) -> None:
        self.service = service
        self.person = person
        self.url = url
        self.place = service.store.parent
        self.workers: list[subprocess.Popen[bytes]] = []
        self.sha256 = ""

    def sql(self, statement: str, *arguments: object) -> Sequence[asyncpg.Record]:
        """Run a statement as the owner, on a connection of its own."""
        with open_session(self.url) as session:
            return session(statement, *arguments)

    def ask(self, body: dict[str, Any] | None = None) -> str:
        """Ask for an export, which is queued; its id.

        Ask before a gate at a row is closed: the request counts the rows, and would wait there.
        """
        export = self.person.export(**(body or CLEAN))
        assert export["status"] in ("pending", "running"), export
        return str(export["id"])

    def show(self, export_id: str) -> dict[str, Any]:
        """The export as the API shows it."""
        answer = self.person.get(f"/api/memories/exports/{export_id}")
        assert answer.status_code == 200, answer.text
        export: dict[str, Any] = answer.json()
        return export

    def row(self, export_id: str) -> dict[str, Any]:
        """The export's whole row."""
        (row,) = self.sql("SELECT * FROM memferry.jobs WHERE id = $1", export_id)
        return dict(row)

    def wait_for(self, export_id: str, seconds: float = 30) -> dict[str, Any]:
        """The export once it is finished."""
        return self.person.wait_for(self.show(export_id), seconds)

    def assert_right(self, export_id: str) -> None:
        """The export is completed, and what its link gives is exactly the clean result."""
        done = self.wait_for(export_id)
        assert done["status"] == "completed", done
        data = httpx.get(done["download_url"]).content
        assert hashlib.sha256(data).hexdigest() == done["sha256"] == self.sha256
        assert (done["row_count"], done["bytes_done"]) == (ROWS, len(data))
        manifest = self.person.get(f"/api/memories/exports/{export_id}/manifest").json()
        assert manifest["memferry"]["content"] == {"bytes": len(data), "sha256": self.sha256}
        self.assert_chain()

    def files(self, export_id: str | None = None) -> list[str]:
        """What the store holds, of one export or of all: the part of the path after the tenant."""
        store = self.service.store
        # os.walk passes over directories that are removed meanwhile. The identity lies at the top.
        files = [
            Path(directory, name)
            for directory, _, names in os.walk(store)
            for name in names
            if Path(directory) != store
        ]
        names = sorted("/".join(path.parts[-2:]) for path in files)
        return [name for name in names if export_id is None or name.startswith(export_id)]

    def assert_one_file(self, export_id: str) -> None:
        """The store soon holds the export's published objects, and nothing else of it."""
        self.assert_files(list_published(self.row(export_id)["object_key"]), export_id)

    def assert_chain(self) -> None:
        """The tenant's manifests follow one another, and the export of each is completed."""
        lines = self.sql(
            "SELECT sequence, line.sha256, text, status FROM memferry.manifest_chain AS line "
            "LEFT JOIN memferry.jobs ON jobs.id = line.export_id "
            "LEFT JOIN memferry.export_manifests AS manifest ON manifest.export_id = jobs.id "
            "ORDER BY sequence"
        )
        previous: str | None = None
        for number, line in enumerate(lines, start=1):
            assert line["sequence"] == number
            # No text for an export that was deleted, or purged.
            assert (line["status"] == "completed") == (line["text"] is not None)
            if line["text"]:
                assert hashlib.sha256(line["text"].encode()).digest() == line["sha256"]
                assert json.loads(line["text"])["memferry"]["chain"]["previous"] == previous
            previous = line["sha256"].hex()

    def assert_files(self, expected: list[str], export_id: str | None = None) -> None:
        """The store soon holds exactly these: the sweeper may still have to come by."""
        with suppress(AssertionError):
            wait_until(lambda: self.files(export_id) == expected, seconds=5)
        assert self.files(export_id) == expected

    def start_worker(self, **environment: str) -> "subprocess.Popen[bytes]":
        """One more worker; it is killed with the plant if it still runs then."""
        with (self.place / "workers.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "memferry", "worker", "--data-dir", str(self.place)],
                env=os.environ | self.service.environment | environment,
                stdout=log,
                stderr=log,
            )
        self.workers.append(process)
        return process

    def holder(self, export_id: str) -> "subprocess.Popen[bytes] | None":
        """The worker of ours that has the export, by the row; None if it is dead or another's."""
        leased_by: str = self.row(export_id)["leased_by"] or "//"
        for worker in self.workers:
            if str(worker.pid) == leased_by.split("/")[1] and is_alive(worker):
                return worker
        return None

    def end_workers(self) -> None:
        """Kill every worker that a test has started."""
        for worker in self.workers:
            worker.kill()
            worker.wait()
        self.workers.clear()

    def signal_own_worker(self, number: int) -> None:
        """Send a signal to the worker of the service itself."""
        pid = wait_until(self.service.worker_pid)
        os.kill(pid, number)

    @contextmanager
    def let_service_help(self) -> Iterator[None]:
        """Let the service's own worker work meanwhile."""
        self.signal_own_worker(signal.SIGCONT)
        try:
            yield
        finally:
            self.signal_own_worker(signal.SIGSTOP)

    @contextmanager
    def close_gate(self, step: Step) -> Iterator[Gate]:
        """Close a gate; it opens at the end."""
        with open_session(self.url) as session:
            yield Gate(session, step)

    def cut_connections(self) -> None:
        """End every connection to the database but the one that does it."""
        self.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )

    def answers(self) -> bool:
        """Whether the service and its database do."""
        try:
            return self.person.get("/api/memories/exports").status_code == 200
        except httpx.TransportError:
            return False

    def postgres(self) -> int | None:
        """The server's process; None while there is none."""
        return find_child(self.service.process.pid, "postgres -D")


def _items() -> list[dict[str, Any]]:
    """The tenant's rows; those at gates name them as their source."""
    filler = "x" * 300
    items: list[dict[str, Any]] = [
        {"content": f"memory {i} {filler}", "namespace": "main", "created_at": i}
        for i in range(ROWS)
    ]
    for index, step in GATE_ROWS.items():
        items[index]["source"] = f"gate {step}"
    poison = {"content": "poison", "namespace": "poison", "created_at": ROWS // 3}
    return [*items, poison | {"source": f"gate {Step.POISON}"}]


def _prepare(plant: Plant) -> None:
    plant.person.save_many(_items())
    plant.sha256 = plant.wait_for(plant.ask())["sha256"]
    plant.sql("VACUUM ANALYZE memferry.memories")
    with open_session(plant.url) as session:
        session.script(INSTALL)
    # Sessions that are open already do not know of the planner's new settings.
    plant.cut_connections()
    # A request that meets one of the cut connections is a 503 still.
    wait_until(lambda: plant.person.get("/api/memories?limit=1").is_success)
    plant.signal_own_worker(signal.SIGSTOP)


@contextmanager
def run_plant(
    request: pytest.FixtureRequest, url: str | None = None, **environment: str
) -> Iterator[Plant]:
    """A plant in a directory of its own, which ends with everything that was started in it.

    `url` is the address of an empty database called memferry, if it shall not be an embedded one.
    """
    programs = request.config.getoption("--postgres-bin")
    with tempfile.TemporaryDirectory(prefix="memferry-faults-", ignore_cleanup_errors=True) as name:
        place = Path(name)
        place.chmod(0o711)
        server = {"MEMFERRY_POSTGRES_BIN": str(programs or ""), "MEMFERRY_DATABASE_URL": url or ""}
        service = start_service(place, **SETTINGS | server | environment)
        url = url or EmbeddedPostgres(place / "postgres").url()
        with make_person("victim", service, url) as person:
            plant = Plant(service, person, url)
            try:
                _prepare(plant)
                yield plant
            finally:
                plant.end_workers()
                plant.signal_own_worker(signal.SIGCONT)
                stop_service(service)
