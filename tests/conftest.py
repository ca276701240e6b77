"""One PostgreSQL, one service, a fixed cast: Alice, Bob, and Charlie, whose token nobody knows.

By default the embedded server is used, or any PostgreSQL 15 to 18 in a database made for the run.
"""

import os
import random
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.directories import make_open_directory
from support.people import Person, make_person
from support.postgres import create_database, run_embedded_server
from support.service import DEFAULT_DATA_DIR, Service, keep_default_places, run_service


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database-url", help="an external PostgreSQL; needs CREATEDB, CREATEROLE")
    parser.addoption("--postgres-bin", type=Path, help="programs for the embedded server")
    parser.addoption("--full", action="store_true", help="fault runs in their full length")
    parser.addoption("--seed", type=int, help="repeat a fault run that failed")


def pytest_configure(config: pytest.Config) -> None:
    # Whoever was started in the background ignores Ctrl-C, and so would all that a test starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if config.option.seed is None:
        config.option.seed = random.SystemRandom().randrange(1_000_000)
    # Whatever a test starts without a data directory gets this one, never the machine's.
    os.environ["MEMFERRY_DATA_DIR"] = os.environ["XDG_CONFIG_HOME"] = str(DEFAULT_DATA_DIR)
    config.add_cleanup(lambda: shutil.rmtree(DEFAULT_DATA_DIR, ignore_errors=True))


def pytest_report_header(config: pytest.Config) -> str:
    return f"fault runs: --seed {config.option.seed}{' --full' * config.option.full}"


@pytest.fixture(scope="session", autouse=True)
def default_places() -> Iterator[dict[Path, float | None]]:
    """The machine's default data directories; a run that touches one fails at its end."""
    with keep_default_places() as places:
        yield places


@pytest.fixture(scope="session")
def seed(request: pytest.FixtureRequest) -> int:
    """What the choices of this run begin with; printed in the header of every run."""
    return int(request.config.getoption("--seed"))


@pytest.fixture(scope="session")
def full(request: pytest.FixtureRequest) -> bool:
    """Whether fault runs have their full length."""
    return bool(request.config.getoption("--full"))


@pytest.fixture(scope="session")
def home() -> Iterator[Path]:
    """A directory that PostgreSQL's own user can enter; pytest's are closed to it."""
    with make_open_directory() as path:
        yield path


@pytest.fixture(scope="session")
def database_url(request: pytest.FixtureRequest, home: Path) -> Iterator[str]:
    """The owner's address of a fresh, migrated database."""
    external: str | None = request.config.getoption("--database-url")
    binaries: Path | None = request.config.getoption("--postgres-bin")
    server = run_embedded_server(home, binaries) if external is None else create_database(external)
    with server as url:
        yield url


@pytest.fixture(scope="session")
def service(home: Path, database_url: str) -> Iterator[Service]:
    """The service all tests share; tenants keep them apart."""
    with run_service(home, database_url) as running:
        yield running


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
    with Person("charlie", service.url, "mnu_not-a-token-of-anybody") as person:
        yield person
