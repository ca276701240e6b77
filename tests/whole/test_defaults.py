"""What a service does when nobody has thought of its safety: where it listens, what it shows."""

import asyncio
import os
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import httpx
import pytest

from memferry.errors import Misconfigured
from memferry.settings import Settings
from memferry.tenants.operator import Operator
from support.people import Person
from support.postgres import create_database
from support.service import Service, find_free_port, list_children, start_service, stop_service
from support.waiting import wait_until

pytestmark = pytest.mark.long


@pytest.fixture
def unused(database_url: str) -> Iterator[str]:
    """A database in which nobody has a token."""
    with create_database(database_url) as url:
        yield url


@contextmanager
def serving(
    host: str, tmp_path: Path, settings: Mapping[str, str]
) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """`memferry serve --host HOST`, and the port it shall listen on."""
    port = find_free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "memferry", "serve", "--host", host, "--port", str(port)],
        env=os.environ | {"MEMFERRY_DATA_DIR": str(tmp_path)} | dict(settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process, port
    finally:
        process.terminate()
        process.wait(30)
        process.communicate()


def answers(process: subprocess.Popen[str], port: int) -> bool:
    """Whether it comes to answer, rather than to end."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            return httpx.get(f"http://127.0.0.1:{port}/health").is_success
        except httpx.TransportError:
            time.sleep(0.05)
    return False


def test_the_service_listens_on_loopback_by_default(unused: str, tmp_path: Path) -> None:
    settings = {"MEMFERRY_DATABASE_URL": unused, "MEMFERRY_ALLOW_PUBLIC": "true"}
    service = start_service(tmp_path, **settings)
    port = int(service.url.rpartition(":")[2])
    listening = {
        line.split()[1]
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        if line.split()[3] == "0A" and line.split()[1].endswith(f":{port:04X}")
    }

    stop_service(service)

    assert listening == {f"0100007F:{port:04X}"}


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_a_public_address_is_refused_while_no_token_exists(
    unused: str, tmp_path: Path, host: str
) -> None:
    with serving(host, tmp_path, {"MEMFERRY_DATABASE_URL": unused}) as (process, port):
        assert not answers(process, port)
        out, err = process.communicate(timeout=30)

    assert process.returncode == 1
    assert err.startswith(f"memferry: not listening on {host}")
    assert "memferry token create" in err
    assert "Traceback" not in err
    assert "mnu_" not in out + err
    assert asyncio.run(Operator(unused).list_tokens()) == []


def test_a_revoked_token_opens_no_public_address(unused: str, tmp_path: Path) -> None:
    token = asyncio.run(Operator(unused).create_token("alice", ""))
    asyncio.run(Operator(unused).revoke_token(token.text))
    settings = {"MEMFERRY_DATABASE_URL": unused}
    with serving("0.0.0.0", tmp_path, settings) as (process, port):
        assert not answers(process, port)

    assert process.returncode == 1


def test_a_public_address_is_accepted_once_a_token_exists(unused: str, tmp_path: Path) -> None:
    asyncio.run(Operator(unused).create_token("alice", ""))
    settings = {"MEMFERRY_DATABASE_URL": unused}
    with serving("0.0.0.0", tmp_path, settings) as (process, port):
        assert answers(process, port)


def test_a_setting_allows_a_public_first_start(unused: str, tmp_path: Path) -> None:
    settings = {"MEMFERRY_DATABASE_URL": unused, "MEMFERRY_ALLOW_PUBLIC": "true"}
    with serving("0.0.0.0", tmp_path, settings) as (process, port):
        assert answers(process, port)

    assert len(asyncio.run(Operator(unused).list_tokens())) == 1


@pytest.fixture
def careless() -> Iterator[Service]:
    """A service of its own, started by somebody who lets everybody read and write everything."""
    with tempfile.TemporaryDirectory(prefix="memferry-careless-") as name:
        Path(name).chmod(0o711)
        before = os.umask(0)
        try:
            service = start_service(Path(name))
        finally:
            os.umask(before)
        yield service
        stop_service(service)


def person_of(service: Service) -> Person:
    """Who holds the token that the first start prints."""
    deadline = time.monotonic() + 10
    while "mnu_" not in (log := service.log.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return Person("alice", service.url, log.partition("mnu_")[1] + log.partition("mnu_")[2][:43])


def open_to_others(root: Path) -> list[str]:
    """Everything below a directory that anybody but its owner may read, write or enter."""
    return [
        f"{stat.filemode(mode)} {path}"
        for path in root.rglob("*")
        if not path.is_symlink() and (mode := path.lstat().st_mode) & 0o077
    ]


def test_files_of_the_service_are_private_whatever_the_umask(careless: Service) -> None:
    home = careless.home
    with person_of(careless) as alice:
        alice.save_many([{"content": f"memory {i}"} for i in range(10_001)])
        export = alice.wait_for(alice.export(format="ndjson"))
        assert export["download_url"]
    # The test's own log, and the programs, which are PostgreSQL's and no secret.
    found = [
        each
        for each in open_to_others(home)
        if str(careless.log) not in each and "/postgres/programs-" not in each
    ]

    assert found == []
    assert any(each.is_file() for each in careless.store.rglob("*"))
    assert stat.S_IMODE((home / "postgres/postgres.log").stat().st_mode) == 0o600


@pytest.mark.parametrize("place", ["far/data/exports", "far/away/store"])
def test_a_store_and_a_data_directory_that_are_missing_are_made_private(
    unused: str, tmp_path: Path, place: str
) -> None:
    store = tmp_path / place
    settings = {"MEMFERRY_DATABASE_URL": unused, "MEMFERRY_STORAGE_URL": store.as_uri()}
    before = os.umask(0)
    try:
        with subprocess.Popen(
            [sys.executable, "-m", "memferry", "worker", "--data-dir", str(tmp_path / "far/data")],
            env=os.environ | settings,
            stderr=subprocess.DEVNULL,
        ) as worker:
            wait_until(store.is_dir)
            worker.terminate()
    finally:
        os.umask(before)

    assert open_to_others(tmp_path) == []


@pytest.mark.parametrize("rows", [1, 10_001])
def test_a_downloaded_file_is_private_whatever_the_umask(
    alice: Person, tmp_path: Path, rows: int
) -> None:
    alice.save_many([{"content": f"memory {i}"} for i in range(rows)])
    before = os.umask(0)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "memferry", "export", "-o", str(tmp_path / "mine.json")],
            env=os.environ | {"MEMFERRY_URL": str(alice.base_url), "MEMFERRY_TOKEN": alice.token},
            check=False,
            capture_output=True,
            timeout=60,
        )
    finally:
        os.umask(before)

    assert done.returncode == 0, done.stderr
    assert stat.S_IMODE((tmp_path / "mine.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("given", ["in a file", "in both"])
def test_a_secret_can_come_from_a_file(tmp_path: Path, given: str) -> None:
    file = tmp_path / "token"
    file.write_text("mnu_secret\n")
    environment = {"MEMFERRY_TOKEN_FILE": str(file)}
    if given == "in both":
        with pytest.raises(Misconfigured, match="MEMFERRY_TOKEN_FILE, not both"):
            Settings.from_environment(environment | {"MEMFERRY_TOKEN": "mnu_other"})
    else:
        assert Settings.from_environment(environment).client.token == "mnu_secret"


def everything_of(service: Service) -> list[int]:
    """The service and all processes below it."""
    found, todo = [], [service.process.pid]
    while todo:
        found.append(pid := todo.pop())
        todo += list_children(pid)
    return found


def test_no_secret_stands_in_a_command_line_a_process_title_or_a_query(careless: Service) -> None:
    with person_of(careless) as alice:
        secret = alice.post("/api/webhooks", json={"url": "https://a.example"}).json()["secret"]
        alice.save("canary text of a memory")
        alice.export(metadata_filter={"canary": "value of a filter"})
        shown = [Path(f"/proc/{pid}/cmdline").read_text() for pid in everything_of(careless)]
        environment = {"MEMFERRY_DATA_DIR": str(careless.home)}
        url = subprocess.check_output(
            [sys.executable, "-m", "memferry", "database", "url"],
            env=os.environ | environment,
            text=True,
        )
        shown += asyncio.run(activity(url.strip()))

    assert any("memferry\0serve" in each for each in shown)
    assert any(each.startswith("postgres: ") for each in shown)
    assert any(each.startswith("memferry ") for each in shown)
    for hidden in (alice.token, alice.token[4:], secret, "canary text", "value of a filter"):
        assert [each for each in shown if hidden in each] == []


async def activity(url: str) -> list[str]:
    """What PostgreSQL tells of every session."""
    connection = await asyncpg.connect(url)
    rows = await connection.fetch("SELECT application_name, query FROM pg_stat_activity")
    await connection.close()
    return [f"{row['application_name']} {row['query']}" for row in rows]
