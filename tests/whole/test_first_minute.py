"""The first command on a machine, whichever it is, leaves a place in which the service starts."""

import asyncio
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest

import memferry
from memferry.database.binaries import ensure_account, find_binaries
from memferry.database.servers import make_embedded_postgres
from memferry.settings import Settings
from support.postgres import create_database, execute
from support.service import NO_TLS, Service, find_free_port

pytestmark = pytest.mark.long

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root hands a directory over")
LOOKING = (
    "doctor",
    "database url",
    "tenant list",
    "tenant delete alice --yes",
    "token list",
    "token revoke mnu_none",
    "audit",
)
ACTING = ("migrate", "token create --tenant alice")
NOBODY = 65534
Done = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class Caller:
    """Who types the commands: the user that runs the tests, or an ordinary one beside root."""

    python: str = sys.executable
    popen: Mapping[str, Any] = field(default_factory=dict)
    uid: int = field(default_factory=os.geteuid)

    def start(self, command: str, data_dir: Path, **settings: str) -> "subprocess.Popen[str]":
        """Start a command; both of its outputs come in one."""
        ours = [str(Path(memferry.__file__).parent.parent), sysconfig.get_path("purelib")]
        paths = os.pathsep.join([*ours, os.environ.get("PYTHONPATH", "")])
        return subprocess.Popen(
            [self.python, "-m", "memferry", *command.split(), "--data-dir", str(data_dir)],
            env=os.environ | {"PYTHONPATH": paths} | settings,
            cwd="/",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **self.popen,
        )

    def run(self, command: str, data_dir: Path, **settings: str) -> Done:
        """Run a command to its end; it never ends with a traceback."""
        with self.start(command, data_dir, **settings) as process:
            said, _ = process.communicate(timeout=60)
        assert "Traceback" not in said
        return subprocess.CompletedProcess(command, process.returncode, said)

    def read_until(self, words: str, command: str, data_dir: Path, **settings: str) -> list[str]:
        """Run a command until it says these words, and ask it to stop; answers its lines."""
        with self.start(command, data_dir, **settings) as process:
            assert process.stdout is not None
            lines = []
            for line in process.stdout:
                lines.append(line)
                if words in line:
                    process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0, lines
        return lines

    def assert_it_serves(self, data_dir: Path) -> None:
        """The service starts and stops, and its data directory is private to whom it belongs."""
        lines = self.read_until("memferry listens", f"serve --port {find_free_port()}", data_dir)

        assert any("memferry listens" in line for line in lines)
        account = ensure_account("memferry") if self.uid == 0 else None
        assert data_dir.stat().st_uid == (self.uid if account is None else account.uid)
        assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700


def an_ordinary_user() -> Caller:
    """Beside root, with a Python that this user can run; pytest's may lie in root's home."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to become another user")
    popen = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    version = f"python3.{sys.version_info.minor}"
    for python in (sys.executable, shutil.which(version, path="/usr/local/bin:/usr/bin")):
        caller = Caller(str(python), popen, NOBODY)
        try:
            if caller.run("database url", Path("/nowhere")).returncode == 0:
                return caller
        except OSError:
            continue
    pytest.skip(f"no {version} here that every user can run with these packages")


@pytest.fixture(params=["this user", "another user"])
def caller(request: pytest.FixtureRequest) -> Caller:
    return Caller() if request.param == "this user" else an_ordinary_user()


@pytest.fixture
def parent(request: pytest.FixtureRequest) -> Iterator[Path]:
    """A directory of the caller's that every user can get to; pytest's are closed to others."""
    uid = request.getfixturevalue("caller").uid if "caller" in request.fixturenames else -1
    with tempfile.TemporaryDirectory(prefix="memferry-first-") as name:
        Path(name).chmod(0o711)
        os.chown(name, uid, -1)
        yield Path(name)


def test_read_only_commands_create_nothing(caller: Caller, parent: Path) -> None:
    data_dir = parent / "data"
    server = make_embedded_postgres(Settings.from_environment({}, data_dir=data_dir).database)
    done = [caller.run(command, data_dir, MEMFERRY_POSTGRES_USER="unheard") for command in LOOKING]

    assert list(parent.iterdir()) == []
    assert not server.socket_dir.exists()
    assert "unheard" not in {user.pw_name for user in pwd.getpwall()}
    for answer in done[2:]:
        assert answer.returncode == 1
        assert f"no database in {data_dir} yet; make it with: memferry serve" in answer.stdout


@pytest.mark.parametrize("command", ACTING)
def test_after_any_command_the_service_starts(caller: Caller, parent: Path, command: str) -> None:
    done = caller.run(command, parent / "data")

    assert done.returncode == 0, done.stdout
    caller.assert_it_serves(parent / "data")


def test_a_worker_without_a_database_logs_one_line_and_creates_nothing(
    caller: Caller, parent: Path
) -> None:
    lines = caller.read_until("the worker waits", "worker", parent / "data")

    assert len(lines) == 1
    assert list(parent.iterdir()) == []


def test_a_worker_waits_for_the_schema_of_an_empty_database(database_url: str) -> None:
    with empty_database(database_url) as url, tempfile.TemporaryDirectory() as name:
        settings = {"MEMFERRY_DATABASE_URL": url}
        lines = Caller().read_until("no schema of memferry yet", "worker", Path(name), **settings)

    assert len(lines) == 1


@contextmanager
def empty_database(url: str) -> Iterator[str]:
    """A database on the same server in which nothing was ever made."""
    name = f"memferry_test_{uuid4().hex[:12]}"
    asyncio.run(execute(url, f"CREATE DATABASE {name}"))
    yield urlsplit(url)._replace(path=f"/{name}").geturl()
    asyncio.run(execute(url, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.mark.parametrize("kind", ["closed", "file", "nowhere"])
@pytest.mark.parametrize("command", [*ACTING, "serve --port {port}"])
def test_an_unusable_directory_is_one_line_of_error_with_its_name(
    parent: Path, command: str, kind: str
) -> None:
    (parent / "closed").mkdir(mode=0)
    (parent / "file").touch()
    (parent / "nowhere").symlink_to("/nowhere/at/all")
    caller = an_ordinary_user() if os.geteuid() == 0 else Caller()
    done = caller.run(command.format(port=find_free_port()), parent / kind / "data")

    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 1
    assert str(parent / kind) in done.stdout


@as_root
@pytest.mark.parametrize("owner", [0, NOBODY])
@pytest.mark.parametrize("holds", ["nothing", "a store of ours"])
def test_an_empty_directory_is_handed_over_and_its_parent_left_alone(
    parent: Path, owner: int, holds: str
) -> None:
    (parent / "data").mkdir(mode=0o700)
    if holds == "a store of ours":
        (parent / "data/exports").mkdir(mode=0o700)
    os.chown(parent / "data", owner, -1)
    before = parent.stat()

    Caller().assert_it_serves(parent / "data")
    assert (parent.stat().st_uid, parent.stat().st_mode) == (before.st_uid, before.st_mode)


@as_root
@pytest.mark.parametrize("name", ["letter.txt", "exports"])
def test_a_directory_with_other_files_is_refused_with_advice_that_helps(
    parent: Path, name: str
) -> None:
    (parent / "data").mkdir(mode=0o700)
    (parent / "data" / name).touch()
    done = Caller().run("migrate", parent / "data")

    assert done.returncode == 1
    assert f"cannot enter {parent / 'data'}, which holds '{name}'" in done.stdout
    assert f"chown memferry {parent / 'data'}" in done.stdout
    assert [child.name for child in (parent / "data").iterdir()] == [name]
    assert (parent / "data").stat().st_uid == 0
    shutil.chown(parent / "data", "memferry")
    assert Caller().run("migrate", parent / "data").returncode == 0


@as_root
def test_a_closed_parent_is_named_and_its_mode_stays(parent: Path) -> None:
    (parent / "closed").mkdir(mode=0o700)
    done = Caller().run("migrate", parent / "closed/data")

    assert done.returncode == 1
    assert f"cannot enter {parent / 'closed'}, which leads to" in done.stdout
    assert stat.S_IMODE((parent / "closed").stat().st_mode) == 0o700
    assert list((parent / "closed").iterdir()) == []


def test_psql_lists_the_tables_by_their_names(database_url: str) -> None:
    tables = {line.split("|")[1] for line in ask_psql(database_url, r"\dt").splitlines()}

    assert {"memories", "jobs", "tenants"} <= tables


def test_a_name_that_the_owner_had_before_means_the_same_table(database_url: str) -> None:
    with create_database(database_url) as url:
        ask_psql(url, "CREATE TABLE public.memories AS SELECT 'mine' AS whose")

        assert ask_psql(url, "SELECT whose FROM memories") == "mine"


def ask_psql(url: str, command: str) -> str:
    """The answer of the psql that comes with the embedded server."""
    psql = find_binaries(None, None, Path()) / "psql"
    words = [str(psql), url, "-XAtc", command]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


def test_the_first_page_describes_the_service_and_loads_nothing_from_other_hosts(
    service: Service,
) -> None:
    with httpx.Client(base_url=service.url, verify=NO_TLS) as browser:
        page = browser.get("/", headers={"Accept": "text/html"})
        style = browser.get(page.text.partition('rel="stylesheet" href="')[2].partition('"')[0])
        head = browser.head("/")

    assert page.headers["content-type"].startswith("text/html")
    assert "memferry token create --tenant NAME" in page.text
    assert 'href="/docs"' in page.text
    assert service.url in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "//" not in page.text.replace(service.url, "")
    assert style.headers["content-type"].startswith("text/css")
    assert "immutable" in style.headers["cache-control"]
    assert head.status_code == 200


def test_the_first_page_needs_no_token_and_ignores_a_wrong_one(service: Service) -> None:
    answer = httpx.get(service.url, headers={"Authorization": "Bearer no"}, verify=NO_TLS)

    assert answer.status_code == 200


def test_the_first_page_is_text_for_a_program(service: Service) -> None:
    answer = httpx.get(service.url, verify=NO_TLS)

    assert answer.headers["content-type"].startswith("text/plain")
    assert f"{service.url}/docs" in answer.text


def test_no_test_uses_a_default_data_directory(
    default_places: dict[Path, float | None],
) -> None:
    data_dir = Settings.from_environment().data_dir

    assert data_dir not in default_places
    assert data_dir.is_relative_to(tempfile.gettempdir())
