"""PostgreSQL that dies, restarts or refuses connections; starts and clients that break off."""

import asyncio
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest

from memferry.database.embedded import EmbeddedPostgres
from memferry.database.pool import SERVICE_ROLE
from support.faults import CLEAN, Plant, run_plant
from support.gates import Step
from support.people import make_person
from support.service import find_free_port, start_service, stop_service
from support.waiting import wait_until

pytestmark = pytest.mark.faults

# More than the ten connections of the pool.
_CLIENTS = 30
_CUT = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    " AND application_name <> 'hog'"
)


@pytest.fixture(scope="module")
def plant(request: pytest.FixtureRequest) -> Iterator[Plant]:
    with run_plant(request) as running:
        yield running


def replace_server(plant: Plant, how: signal.Signals) -> None:
    """End PostgreSQL, and wait for another: sessions of the old one may answer for a moment."""
    old = wait_until(plant.postgres)
    os.kill(old, how)
    wait_until(lambda: plant.postgres() not in {None, old})


def kill_server(plant: Plant) -> None:
    """Kill -9 PostgreSQL; the service starts it again."""
    replace_server(plant, signal.SIGKILL)


def restart_server(plant: Plant) -> None:
    """Stop PostgreSQL as an operator would; the service starts it again."""
    replace_server(plant, signal.SIGINT)


async def take_connections(url: str, hogs: "list[asyncpg.Connection[asyncpg.Record]]") -> None:
    """Connect until the server refuses."""
    with suppress(asyncpg.TooManyConnectionsError):
        while True:
            hogs.append(
                await asyncpg.connect(url, server_settings={"application_name": "hog"}, timeout=10)
            )


async def starve(plant: Plant, seconds: float) -> list[httpx.Response]:
    """Take every connection for that long; what the API answered meanwhile."""
    home = EmbeddedPostgres(plant.place / "postgres")
    owner = await asyncpg.connect(home.url())
    hogs: list[asyncpg.Connection[asyncpg.Record]] = []
    answers, deadline = [], time.monotonic() + seconds
    try:
        while time.monotonic() < deadline:
            await take_connections(home.url(SERVICE_ROLE), hogs)
            # Those that the service holds from before would serve it well.
            await owner.execute(_CUT)
            await take_connections(home.url(SERVICE_ROLE), hogs)
            answers.append(await asyncio.to_thread(plant.person.get, "/api/memories/exports"))
    finally:
        for each in (*hogs, owner):
            await each.close()
    return answers


@pytest.mark.parametrize("fault", [kill_server, restart_server, Plant.cut_connections])
def test_an_export_survives_faults_of_the_database(
    plant: Plant, fault: Callable[[Plant], None]
) -> None:
    export_id = plant.ask()
    with plant.let_service_help():
        with plant.close_gate(Step.MIDDLE) as gate:
            gate.wait()
            fault(plant)
        wait_until(plant.answers)

        plant.assert_right(export_id)
        assert plant.row(export_id)["attempt"] > 1, "the fault has met no attempt"
        plant.assert_one_file(export_id)


def test_a_database_without_free_connections_is_a_503_and_costs_no_export(plant: Plant) -> None:
    export_id = plant.ask()
    with plant.let_service_help():
        with plant.close_gate(Step.MIDDLE) as gate:
            gate.wait()
            answers = asyncio.run(starve(plant, 2))
        refused = [each for each in answers if each.status_code == 503]
        wait_until(plant.answers)

        assert {each.status_code for each in answers} <= {200, 503}
        assert refused
        assert all(each.json()["code"] == "database_unavailable" for each in refused)
        assert all(int(each.headers["retry-after"]) >= 1 for each in refused)
        plant.assert_right(export_id)


def kill_start(place: Path, seconds: float, environment: dict[str, str]) -> None:
    """Start a service and kill it with all of its group after that long."""
    command = [sys.executable, "-m", "memferry", "serve", "--port", str(find_free_port())]
    process = subprocess.Popen(
        [*command, "--data-dir", str(place)],
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    time.sleep(seconds)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.fixture
def place() -> Iterator[Path]:
    """A data directory that PostgreSQL's user can enter."""
    with tempfile.TemporaryDirectory(prefix="memferry-start-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o711)
        yield Path(name)


def works(place: Path, environment: dict[str, str]) -> bool:
    """Whether a service starts there, answers, keeps a memory and exports it, and stops."""
    service = start_service(place, **environment)
    health = httpx.get(f"{service.url}/health")
    with make_person("late", service, EmbeddedPostgres(place / "postgres").url()) as person:
        person.save("kept")
        export = person.export(format="ndjson")
    return (
        health.status_code == 200
        and '"kept"' in export["payload"]
        and export["row_count"] == 1
        and stop_service(service) == 0
    )


# The first start makes the cluster; the next ones find what the one before has left.
_STARTS_PER_PLACE = 3


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("number", range(2))
def test_a_service_killed_at_any_moment_of_its_start_starts_the_next_time(
    place: Path, seed: int, number: int, request: pytest.FixtureRequest
) -> None:
    chance = random.Random(f"{seed} {number}")
    programs = request.config.getoption("--postgres-bin")
    environment = {"MEMFERRY_POSTGRES_BIN": str(programs or "")}
    for turn in range(17 if request.config.getoption("--full") else 1):
        directory = place / str(turn)
        directory.mkdir(mode=0o711)
        for _ in range(_STARTS_PER_PLACE):
            kill_start(directory, chance.uniform(0.05, 2), environment)

        assert works(directory, environment)


@contextmanager
def call(url: str, request: bytes) -> Iterator[socket.socket]:
    """Send bytes to a service; the connection is reset in the end."""
    host, _, port = urlsplit(url).netloc.partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.sendall(request)
        yield client


def hang_up(url: str, request: bytes, *, read: int) -> None:
    """Send bytes to a service, read some of its answer, and reset the connection."""
    with call(url, request) as client:
        # A reset takes back what the service has not read yet.
        time.sleep(0.02)
        while read > 0 and (data := client.recv(read)):
            read -= len(data)


def post(plant: Plant, body: bytes, *, length: int) -> bytes:
    """An HTTP request for an export, whose body claims to be of that length."""
    return (
        f"POST /api/memories/exports HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
        f"{plant.person.token}\r\nContent-Length: {length}\r\n\r\n"
    ).encode() + body


def stuck(plant: Plant) -> list[str]:
    """The last statements of transactions in which nothing has happened for over a second."""
    rows = plant.sql(
        "SELECT query FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'"
        " AND state_change < now() - interval '1 second'"
    )
    return [row["query"] for row in rows]


def assert_unharmed(plant: Plant) -> None:
    """As many requests as the pool has connections, and more, are answered side by side."""
    time.sleep(1.2)
    with ThreadPoolExecutor(_CLIENTS) as threads:
        answers = threads.map(
            lambda _: plant.person.post("/api/memories/exports", json=CLEAN | {"tags": ["none"]}),
            range(_CLIENTS),
        )
        assert [each.status_code for each in answers] == [201] * _CLIENTS
    assert stuck(plant) == []


def test_clients_that_hang_up_in_mid_request_keep_no_connection(plant: Plant) -> None:
    whole = b'{"format": "ndjson", "namespace": "main"}'
    for _ in range(_CLIENTS):
        hang_up(plant.service.url, post(plant, whole[:20], length=len(whole)), read=0)
        hang_up(plant.service.url, post(plant, whole, length=len(whole)), read=0)

    assert_unharmed(plant)
    plant.sql("DELETE FROM memferry.jobs WHERE status = 'pending'")


def test_clients_that_hang_up_while_their_export_is_made_keep_no_connection(plant: Plant) -> None:
    body = b'{"format": "ndjson", "namespace": "poison"}'
    with plant.close_gate(Step.POISON) as gate, ExitStack() as clients:
        for _ in range(_CLIENTS):
            request = post(plant, body, length=len(body))
            clients.enter_context(call(plant.service.url, request))
        gate.wait()

    assert_unharmed(plant)


def test_clients_that_hang_up_in_mid_download_keep_no_connection(plant: Plant) -> None:
    export_id = plant.ask()
    with plant.let_service_help():
        plant.assert_right(export_id)
    link = plant.show(export_id)["download_url"]
    request = f"GET {urlsplit(link).path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    for _ in range(_CLIENTS):
        hang_up(link, request, read=100_000)

    assert_unharmed(plant)
    plant.assert_right(export_id)
