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
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from memferry.database.embedded import EmbeddedPostgres
from memferry.database.migrate import migrate
from support.people import Person, make_person
from support.postgres import own_database
from support.service import DEFAULT_DATA_DIR, Service, start_service, stop_service


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
