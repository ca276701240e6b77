"""One PostgreSQL, one service, and a fixed cast of tenants: Alice, Bob and Charlie.

By default the embedded server is used. `--database-url` runs everything against any PostgreSQL 15
to 18 instead, in a database made for the run; `--postgres-bin` against other programs.

Tests that inject faults choose by chance what to hit: `--seed` repeats a run, `--full` makes it
long.
"""

import asyncio
import os
import random
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import httpx
import pytest

from memferry.database.embedded import EmbeddedPostgres
from memferry.database.migrate import migrate
from memferry.database.pool import Database
from memferry.memories.service import Batches
from memferry.model.memory import MovedRow, ValidMemory
from memferry.model.token import USUAL_SCOPES, Grant, Scope
from memferry.tenants.admin import Admin

DEFAULT_DATA_DIR = Path(tempfile.mkdtemp(prefix="memferry-default-"))
# For clients that speak plain HTTP on this machine: to load the known authorities, as each client
# does by default, takes longer than most tests.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database-url", help="an external PostgreSQL; needs CREATEDB, CREATEROLE")
    parser.addoption("--postgres-bin", type=Path, help="programs for the embedded server")
    parser.addoption("--full", action="store_true", help="fault runs in their full length")
    parser.addoption("--seed", type=int, help="repeat a fault run that failed")


def pytest_configure(config: pytest.Config) -> None:
    if config.option.seed is None:
        config.option.seed = random.SystemRandom().randrange(1_000_000)
    # Whatever a test starts without a data directory gets this one, never the machine's.
    os.environ["MEMFERRY_DATA_DIR"] = str(DEFAULT_DATA_DIR)
    config.add_cleanup(lambda: shutil.rmtree(DEFAULT_DATA_DIR, ignore_errors=True))


@pytest.fixture(scope="session", autouse=True)
def default_places() -> Iterator[dict[Path, float | None]]:
    """The machine's default data directories; a run that touches one fails at its end."""
    before = look_at_default_places()
    yield before
    assert look_at_default_places() == before


def look_at_default_places() -> dict[Path, float | None]:
    """When each was last changed; None if it is not there."""
    places = (Path("/var/lib/memferry"), Path.home() / ".local/share/memferry")
    return {path: path.stat().st_mtime if path.exists() else None for path in places}


def pytest_report_header(config: pytest.Config) -> str:
    return f"fault runs: --seed {config.option.seed}{' --full' * config.option.full}"


@pytest.fixture(scope="session")
def seed(request: pytest.FixtureRequest) -> int:
    """What the choices of this run begin with; printed in the header of every run."""
    number: int = request.config.getoption("--seed")
    return number


@pytest.fixture(scope="session")
def full(request: pytest.FixtureRequest) -> bool:
    """Whether fault runs have their full length."""
    return bool(request.config.getoption("--full"))


@pytest.fixture(scope="session")
def home() -> Iterator[Path]:
    """A directory that PostgreSQL's own user can enter; pytest's are closed to it."""
    path = Path(tempfile.mkdtemp(prefix="memferry-test-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def database_url(request: pytest.FixtureRequest, home: Path) -> Iterator[str]:
    """The owner's address of a fresh, migrated database."""
    external: str | None = request.config.getoption("--database-url")
    if external is not None:
        with own_database(external) as url:
            yield url
        return
    server = EmbeddedPostgres(
        home / "postgres", binaries=request.config.getoption("--postgres-bin")
    )
    server.start()
    asyncio.run(migrate(server.url()))
    yield server.url()
    server.stop()


@contextmanager
def own_database(url: str) -> Iterator[str]:
    """Another migrated database on the same server, for tests that would disturb others."""
    name = f"memferry_test_{uuid4().hex[:12]}"
    asyncio.run(execute(url, f"CREATE DATABASE {name}"))
    own = urlsplit(url)._replace(path=f"/{name}").geturl()
    asyncio.run(migrate(own))
    yield own
    asyncio.run(execute(url, f"DROP DATABASE {name} WITH (FORCE)"))


def only(memory: ValidMemory) -> Batches:
    """A bulk save of one memory."""

    async def batches() -> AsyncIterator[list[MovedRow]]:
        yield [MovedRow(index=0, memory=memory, created_at=None, updated_at=None)]

    return batches


@asynccontextmanager
async def opened_database(url: str, **limits: Any) -> AsyncIterator[Database]:
    """Connections of the service; closed at the end, however that comes."""
    database = Database(url, **limits)
    await database.open()
    try:
        yield database
    finally:
        await database.close()


async def execute(url: str, statement: str) -> None:
    """Run one statement as the owner."""
    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()


@dataclass(frozen=True)
class Service:
    """A running `memferry serve`."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path
    store: Path
    environment: dict[str, str]

    @property
    def home(self) -> Path:
        """Its data directory."""
        return self.store.parent

    def worker_pid(self) -> int | None:
        """The process that ps shows as `memferry worker`; None between two of them."""
        return child(self.process.pid, "memferry worker")


def children(parent: int) -> list[int]:
    """The processes that a process has started and that still run."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, parent_pid = stat.read_text().rpartition(")")[2].split()[:2]
            if int(parent_pid) == parent and state != "Z":
                found.append(int(stat.parent.name))
    return found


def child(parent: int, words: str) -> int | None:
    """The one child whose command line holds these words."""
    for pid in children(parent):
        with suppress(OSError):
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
            if words.encode() in command:
                return pid
    return None


def free_port() -> int:
    """A port nobody listens on right now."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port


def start_service(home: Path, *options: str, **environment: str) -> Service:
    """Start the real thing and wait until it answers; nothing of ours lies in its home."""
    # Tests run side by side: nobody's worker is to wait for everybody else.
    environment = {"MEMFERRY_WORKER_NICE": "0"} | environment
    port, log = free_port(), DEFAULT_DATA_DIR / f"serve-{uuid4().hex[:8]}.log"
    command = [sys.executable, "-m", "memferry", "serve", "--port", str(port)]
    with log.open("wb") as file:
        process = subprocess.Popen(
            [*command, "--data-dir", str(home), *options],
            env=os.environ | environment,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 60
    with httpx.Client(verify=NO_TLS) as client:
        while time.monotonic() < deadline and process.poll() is None:
            try:
                if client.get(f"{url}/health").is_success:
                    return Service(process, url, log, home / "exports", environment)
            except httpx.TransportError:
                time.sleep(0.05)
    process.kill()
    raise AssertionError(f"the service did not start:\n{log.read_text()}")


def stop_service(service: Service) -> int:
    """Ask it to stop; answers its exit status."""
    service.process.send_signal(signal.SIGTERM)
    return service.process.wait(30)


@pytest.fixture(scope="session")
def service(home: Path, database_url: str) -> Iterator[Service]:
    """The service all tests share; tenants keep them apart."""
    running = start_service(
        home,
        MEMFERRY_DATABASE_URL=database_url,
        MEMFERRY_WEBHOOKS_ALLOW_PRIVATE="true",
        MEMFERRY_LEASE_SECONDS="2",
    )
    yield running
    assert stop_service(running) == 0


class Person(httpx.Client):
    """A tenant with a token: an HTTP client that speaks for nobody else."""

    def __init__(self, name: str, url: str, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        super().__init__(base_url=url, headers=headers, timeout=60, verify=NO_TLS)
        self.name = name
        self.token = token

    def save(self, content: str, **more: Any) -> dict[str, Any]:
        """Save a memory; its row."""
        answer = self.post("/api/memories", json={"content": content, **more})
        assert answer.status_code == 201, answer.text
        row: dict[str, Any] = answer.json()
        return row

    def save_many(self, items: list[dict[str, Any]]) -> None:
        """Save rows in bulk, however many."""
        for start in range(0, len(items), 10_000):
            answer = self.post("/v1/memories/bulk", json={"items": items[start : start + 10_000]})
            assert answer.json()["errors"] == 0, answer.text

    def export(self, **body: Any) -> dict[str, Any]:
        """Ask for an export; the answer as it comes."""
        answer = self.post("/api/memories/exports", json=body)
        assert answer.status_code == 201, answer.text
        export: dict[str, Any] = answer.json()
        return export

    def finished(self, export: dict[str, Any], seconds: float = 60) -> dict[str, Any]:
        """The export once it is finished."""
        deadline = time.monotonic() + seconds
        while export["status"] in ("pending", "running"):
            assert time.monotonic() < deadline, export
            time.sleep(0.05)
            export = self.get(f"/api/memories/exports/{export['id']}").json()
        return export


def make_person(
    name: str, service: Service, database_url: str, scopes: tuple[Scope, ...] = USUAL_SCOPES
) -> Person:
    """A new tenant of that name, unknown to every other test."""
    admin = Admin(database_url)
    token = asyncio.run(admin.create_token(f"{name}-{uuid4()}", name, Grant(scopes=scopes)))
    return Person(name, service.url, token.text)


@pytest.fixture
def alice(service: Service, database_url: str) -> Iterator[Person]:
    with make_person("alice", service, database_url) as person:
        yield person


@pytest.fixture
def bob(service: Service, database_url: str) -> Iterator[Person]:
    with make_person("bob", service, database_url) as person:
        yield person


@pytest.fixture
def charlie(service: Service) -> Iterator[Person]:
    """Charlie holds a token nobody knows."""
    with Person("charlie", service.url, "mnu_not-a-token-of-anybody") as person:
        yield person
