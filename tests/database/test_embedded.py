"""The embedded PostgreSQL: started, stopped, killed, owned by one."""

import asyncio
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from memferry.database.binaries import ensure_account
from memferry.database.embedded import EmbeddedPostgres, compute_cache_mb
from memferry.database.machine import read_usable_bytes
from memferry.database.servers import make_embedded_postgres
from memferry.errors import EmbeddedPostgresFailed
from memferry.settings import EmbeddedSettings, Settings

pytestmark = pytest.mark.long
IS_ROOT = os.geteuid() == 0
DEBIAN = Path("/usr/lib/postgresql/15/bin")


@pytest.fixture
def parent() -> Iterator[Path]:
    """A directory of ours that PostgreSQL's user can enter."""
    path = Path(tempfile.mkdtemp(prefix="memferry-embedded-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """Where the one cluster is that most of these tests share: making one takes its time."""
    path = Path(tempfile.mkdtemp(prefix="memferry-embedded-"))
    path.chmod(0o711)
    yield path / "home"
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def server(home: Path, request: pytest.FixtureRequest) -> Iterator[EmbeddedPostgres]:
    """A server that runs."""
    embedded = EmbeddedPostgres(
        home, EmbeddedSettings(binaries=request.config.getoption("--postgres-bin"))
    )
    embedded.start()
    yield embedded
    embedded.stop()


async def run(server: EmbeddedPostgres, statement: str) -> object:
    connection = await asyncpg.connect(server.url())
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


def processes_in(directory: Path) -> list[int]:
    """The PostgreSQL processes that work in a data directory."""
    found = []
    for link in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if link.readlink() == directory:
                found.append(int(link.parent.name))
        except OSError:
            continue
    return found


async def test_data_survives_a_restart_of_the_embedded_server(server: EmbeddedPostgres) -> None:
    await run(server, "CREATE TABLE kept AS SELECT 42 AS answer")
    server.stop()
    server.start()

    assert await run(server, "SELECT answer FROM kept") == 42


async def test_writes_are_durable_and_nothing_listens_on_the_network(
    server: EmbeddedPostgres, home: Path
) -> None:
    assert await run(server, "SHOW fsync") == "on"
    assert await run(server, "SHOW listen_addresses") == ""
    assert await run(server, "SHOW data_checksums") == "on"
    assert stat.S_IMODE(server.socket_dir.stat().st_mode) == 0o700
    assert stat.S_IMODE((home / "postgres.log").stat().st_mode) == 0o600


async def cached_mb(server: EmbeddedPostgres) -> object:
    """By PostgreSQL's own count, in pages of 8 KiB."""
    pages = "SELECT setting::integer / 128 FROM pg_settings WHERE name = 'shared_buffers'"
    return await run(server, pages)


async def test_the_shared_buffers_are_an_eighth_of_the_memory(server: EmbeddedPostgres) -> None:
    assert await cached_mb(server) == compute_cache_mb(read_usable_bytes())


async def test_the_shared_buffers_follow_the_setting(
    parent: Path, request: pytest.FixtureRequest
) -> None:
    chosen = {"MEMFERRY_POSTGRES_SHARED_MB": "144"}
    if (binaries := request.config.getoption("--postgres-bin")) is not None:
        chosen["MEMFERRY_POSTGRES_BIN"] = str(binaries)
    server = make_embedded_postgres(Settings.from_environment(chosen, data_dir=parent).database)
    server.start()
    try:
        assert await cached_mb(server) == 144
    finally:
        server.stop()


@pytest.mark.parametrize("end", ["pg_cancel_backend", "pg_terminate_backend", "a kill"])
async def test_the_log_of_postgresql_holds_no_statement_however_it_ends(
    server: EmbeddedPostgres, home: Path, end: str
) -> None:
    connection = await asyncpg.connect(server.url())
    pid = connection.get_server_pid()
    query, logged = "SELECT pg_sleep(60), 'c4n4ry'", (home / "postgres.log").stat().st_size
    copy = asyncio.create_task(connection.copy_from_query(query, output=Path(os.devnull)))
    running = f"SELECT count(*) FROM pg_stat_activity WHERE pid = {pid} AND query LIKE 'COPY%'"
    while await run(server, running) != 1:
        assert not copy.done()
    if end == "a kill":
        os.kill(pid, signal.SIGKILL)
    else:
        assert await run(server, f"SELECT {end}({pid})")
    with pytest.raises((asyncpg.PostgresError, OSError)):
        await copy
    connection.terminate()
    ended = "canceling statement|terminating connection|was terminated by signal 9"
    deadline = time.monotonic() + 10
    while not re.search(ended, log := (home / "postgres.log").read_bytes()[logged:].decode()):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
    # Asked to stop while it recovers, the server takes its time.
    while not server.attach():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)

    assert "c4n4ry" not in log


@pytest.mark.parametrize("kind", ["open", "a link"])
def test_a_socket_directory_that_others_can_enter_is_refused(parent: Path, kind: str) -> None:
    embedded = EmbeddedPostgres(parent / "home")
    place = embedded.socket_dir
    private = parent / "private"
    account = ensure_account("memferry")
    for each in (place, private):
        each.mkdir(mode=0o700)
        if account is not None:
            os.chown(each, account.uid, account.gid)
    if kind == "open":
        place.chmod(0o711)
    else:
        place.rmdir()
        place.symlink_to(private)
        if account is not None:
            os.chown(place, account.uid, account.gid, follow_symlinks=False)
    try:
        with pytest.raises(EmbeddedPostgresFailed, match="somebody else or is open to others"):
            embedded.start()
    finally:
        embedded.stop()
        place.unlink() if place.is_symlink() else place.rmdir()


async def test_other_processes_attach_to_an_owned_server(
    server: EmbeddedPostgres, home: Path
) -> None:
    other = EmbeddedPostgres(home)

    assert other.attach()
    server.stop()
    assert not other.attach()
    assert not server.socket_dir.exists()


def test_a_second_owner_is_refused_with_the_process_of_the_first(
    server: EmbeddedPostgres, home: Path
) -> None:
    assert server.process is not None

    with pytest.raises(EmbeddedPostgresFailed, match=f"process {os.getpid()}"):
        EmbeddedPostgres(home).start()


async def test_the_embedded_server_starts_again_after_a_kill_during_writes(
    server: EmbeddedPostgres,
) -> None:
    await run(server, "CREATE TABLE t (i int)")
    insert = "INSERT INTO t SELECT generate_series(1, 10000000)"
    writing = asyncio.create_task(run(server, insert))
    await asyncio.sleep(0.5)
    assert server.process is not None
    server.process.kill()
    server.process.wait()

    # The backend that writes is still there, and must neither keep the new server out nor commit.
    await asyncio.to_thread(server.start)
    (outcome,) = await asyncio.gather(writing, return_exceptions=True)

    assert isinstance(outcome, (OSError, asyncpg.PostgresError, asyncpg.InterfaceError))
    assert await run(server, "SELECT count(*) FROM t") == 0


def test_no_embedded_server_outlives_its_killed_owner(parent: Path) -> None:
    program = (
        "import pathlib, sys, time\n"
        "from memferry.database.embedded import EmbeddedPostgres\n"
        "EmbeddedPostgres(pathlib.Path(sys.argv[1])).start()\n"
        "print('up', flush=True)\n"
        "time.sleep(60)\n"
    )
    home = parent / "home"
    with subprocess.Popen(
        [sys.executable, "-c", program, str(home)], stdout=subprocess.PIPE
    ) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"up\n"
        assert len(processes_in(home / "data")) > 3
        owner.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 10
    while processes_in(home / "data"):
        assert time.monotonic() < deadline
        time.sleep(0.05)

    again = EmbeddedPostgres(home)
    again.start()
    again.stop()


def test_an_interrupted_initdb_does_no_harm(parent: Path) -> None:
    partial = parent / "home/data.partial"
    partial.mkdir(parents=True)
    (partial / "PG_VERSION").write_text("18\n")
    account = ensure_account("memferry")
    if account is not None:
        shutil.chown(parent / "home", account.name)
    embedded = EmbeddedPostgres(parent / "home")
    embedded.start()
    embedded.stop()

    assert not partial.exists()


def test_a_data_directory_of_another_version_is_refused_by_name(
    server: EmbeddedPostgres, home: Path
) -> None:
    server.stop()
    version = home / "data/PG_VERSION"
    ours = version.read_text()
    version.write_text("9.6\n")
    try:
        with pytest.raises(
            EmbeddedPostgresFailed,
            match=rf"is of PostgreSQL 9\.6.* are of {ours.strip()}; point MEMFERRY_POSTGRES_BIN",
        ):
            server.start()
    finally:
        version.write_text(ours)


def test_the_embedded_server_changes_no_parent_directory(parent: Path) -> None:
    outer = parent / "outer"
    outer.mkdir(mode=0o755)
    before = [each.stat() for each in (parent, outer)]
    embedded = EmbeddedPostgres(outer / "home")
    embedded.start()
    embedded.stop()
    after = [each.stat() for each in (parent, outer)]

    assert [(each.st_mode, each.st_uid) for each in after] == [
        (each.st_mode, each.st_uid) for each in before
    ]
    assert stat.S_IMODE((outer / "home").stat().st_mode) == 0o700


@pytest.mark.skipif(not IS_ROOT, reason="only root runs the server as somebody else")
def test_as_root_an_unreachable_directory_is_named(parent: Path) -> None:
    closed = parent / "closed"
    closed.mkdir(mode=0o700)
    (closed / "letter").touch()

    with pytest.raises(EmbeddedPostgresFailed, match=f"cannot enter {closed}"):
        EmbeddedPostgres(closed / "home").start()
    assert [path.name for path in closed.iterdir()] == ["letter"]


@pytest.mark.skipif(not (DEBIAN / "postgres").exists(), reason="no Debian PostgreSQL here")
async def test_the_embedded_server_runs_with_other_programs(parent: Path) -> None:
    embedded = EmbeddedPostgres(parent / "home", EmbeddedSettings(binaries=DEBIAN))
    embedded.start()
    try:
        assert str(await run(embedded, "SHOW server_version")).startswith("15.")
    finally:
        embedded.stop()


def test_a_directory_without_the_programs_of_postgresql_is_reported(parent: Path) -> None:
    with pytest.raises(EmbeddedPostgresFailed, match="MEMFERRY_POSTGRES_BIN: no postgres in"):
        EmbeddedPostgres(parent / "home", EmbeddedSettings(binaries=parent)).start()
