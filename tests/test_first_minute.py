"""The first command on a machine, whichever it is, leaves a place in which the service starts."""

import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from conftest import NO_TLS, Service, start_service, stop_service
from memferry.database.binaries import find_binaries, server_account
from memferry.settings import Settings

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root hands a directory over")
LOOKING = ("doctor", "database url")
ACTING = ("migrate", "tenant list", "token list", "audit", "token create --tenant alice")


@pytest.fixture
def parent() -> Iterator[Path]:
    """A directory that every user can get to; pytest's are closed to PostgreSQL's user."""
    with tempfile.TemporaryDirectory(prefix="memferry-first-") as name:
        Path(name).chmod(0o711)
        yield Path(name)


def run(command: str, data_dir: Path, seconds: float = 60) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "memferry", *command.split(), "--data-dir", str(data_dir)]
    return subprocess.run(words, check=False, capture_output=True, text=True, timeout=seconds)


def assert_it_serves(data_dir: Path) -> None:
    service = start_service(data_dir)
    stop_service(service)

    account = server_account("memferry")
    owner = os.geteuid() if account is None else account.uid
    assert data_dir.stat().st_uid == owner
    assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700


@pytest.mark.parametrize("command", LOOKING)
def test_a_command_that_looks_creates_nothing(parent: Path, command: str) -> None:
    run(command, parent / "data")

    assert list(parent.iterdir()) == []


@pytest.mark.parametrize("command", ACTING)
def test_after_any_command_the_service_starts(parent: Path, command: str) -> None:
    done = run(command, parent / "data")

    assert done.returncode == 0, done.stderr
    assert_it_serves(parent / "data")


def test_after_a_worker_that_found_nothing_the_service_starts(parent: Path) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        run("worker", parent / "data", seconds=3)

    assert_it_serves(parent / "data")


@as_root
def test_an_empty_directory_of_roots_is_handed_over_and_its_parent_left_alone(
    parent: Path,
) -> None:
    (parent / "data").mkdir(mode=0o700)
    before = parent.stat()

    assert_it_serves(parent / "data")
    assert (parent.stat().st_uid, parent.stat().st_mode) == (before.st_uid, before.st_mode)


@as_root
def test_a_directory_with_other_files_is_refused_with_advice_that_helps(parent: Path) -> None:
    (parent / "data").mkdir(mode=0o700)
    (parent / "data/letter.txt").touch()
    done = run("migrate", parent / "data")

    assert done.returncode == 1
    assert f"chown memferry {parent / 'data'}" in done.stderr
    assert (parent / "data").stat().st_uid == 0


@as_root
def test_a_closed_parent_is_named_and_its_mode_stays(parent: Path) -> None:
    (parent / "closed").mkdir(mode=0o700)
    done = run("migrate", parent / "closed/data")

    assert done.returncode == 1
    assert f"cannot enter {parent / 'closed'}, which leads to" in done.stderr
    assert stat.S_IMODE((parent / "closed").stat().st_mode) == 0o700


def test_psql_shows_the_tables_by_their_names(database_url: str) -> None:
    psql = find_binaries(None, None, Path()) / "psql"
    done = subprocess.run(
        [str(psql), database_url, "-XAtc", r"\dt"], check=True, capture_output=True, text=True
    )

    assert {"memories", "exports", "tenants"} <= {
        line.split("|")[1] for line in done.stdout.splitlines()
    }


def test_the_first_page_says_what_this_is_and_loads_nothing_from_elsewhere(
    service: Service,
) -> None:
    with httpx.Client(base_url=service.url, verify=NO_TLS) as browser:
        page = browser.get("/", headers={"Accept": "text/html"})
        style = browser.get("/assets/home.css")
        head = browser.head("/")

    assert page.headers["content-type"].startswith("text/html")
    assert "memferry token create --tenant NAME" in page.text
    assert 'href="/docs"' in page.text
    assert service.url in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "//" not in page.text.replace(service.url, "")
    assert style.headers["content-type"].startswith("text/css")
    assert head.status_code == 200


def test_the_first_page_is_text_for_a_program(service: Service) -> None:
    answer = httpx.get(service.url, verify=NO_TLS)

    assert answer.headers["content-type"].startswith("text/plain")
    assert f"{service.url}/docs" in answer.text


def test_nothing_in_a_test_run_uses_a_default_place(
    default_places: dict[Path, float | None],
) -> None:
    data_dir = Settings.from_environment().data_dir

    assert data_dir not in default_places
    assert data_dir.is_relative_to(tempfile.gettempdir())
