"""A plant over a server of its own, and standbys of that server."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import pytest

from support.faults import Plant, run_plant
from support.gates import Gate, Step
from support.sessions import open_session
from support.tcp_postgres import TcpServer, run_tcp_server

_WROTE = r"export {}: attempt (\d+) wrote .* on the (\w+) was held"
NOT_READ = "exports are read from the primary, not from the standby: "
# Sessions of workers in a transaction.
READERS = (
    "SELECT pid FROM pg_stat_activity"
    " WHERE application_name LIKE 'memferry worker%' AND xact_start IS NOT NULL"
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

    def find_attempt(self, export_id: str) -> tuple[int, str]:
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


@contextmanager
def run_site(request: pytest.FixtureRequest) -> Iterator[Site]:
    """A site with a server and a plant, and no standby yet."""
    with run_tcp_server(request.config.getoption("--postgres-bin")) as primary:
        with open_session(primary.url()) as session:
            session("CREATE DATABASE memferry")
        with run_plant(request, primary.url("memferry")) as plant:
            yield Site(plant, primary)


@contextmanager
def visit_site(standing: Site) -> Iterator[Site]:
    """The site for one test, whose workers end with it, and have met no fault they do not know."""
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
