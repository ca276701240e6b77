"""Workers give way to requests: themselves, and their connections where the server is ours."""

import asyncio
import ctypes
import os
import platform
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest

from memferry.database.servers import owner_url
from memferry.settings import Settings
from memferry.worker.priority import give_way
from support.people import make_person
from support.postgres import create_database
from support.service import Service, start_service, stop_service

_NICE = 7
_ROWS = 10_001
_SERVER_SIDE = """
SELECT pid FROM pg_stat_activity
WHERE application_name LIKE 'memferry%' AND datname = current_database()
"""


@contextmanager
def service_with(**environment: str) -> Iterator[Service]:
    """A service on a data directory of its own."""
    with tempfile.TemporaryDirectory(prefix="memferry-priority-") as name:
        Path(name).chmod(0o711)
        service = start_service(Path(name), MEMFERRY_WORKER_NICE=str(_NICE), **environment)
        try:
            yield service
        finally:
            stop_service(service)


def after_an_export(service: Service, url: str) -> list[int]:
    """The nice values of the server's ends of all connections, once a worker has exported."""
    with make_person("alice", service, url) as alice:
        alice.save_many([{"content": "x"}] * _ROWS)
        assert alice.wait_for(alice.export())["status"] == "completed"

    async def ask() -> list[int]:
        connection = await asyncpg.connect(url)
        found = [row["pid"] for row in await connection.fetch(_SERVER_SIDE)]
        await connection.close()
        return [os.getpriority(os.PRIO_PROCESS, pid) for pid in found]

    return asyncio.run(ask())


def _not_nicer() -> int:
    """The nice value of this run, which what it starts has, too."""
    ours = os.getpriority(os.PRIO_PROCESS, 0)
    if ours >= _NICE:
        pytest.skip("this run is as nice as a worker would be")
    return ours


def test_a_worker_and_its_connections_to_our_own_server_give_way(
    request: pytest.FixtureRequest,
) -> None:
    ours = _not_nicer()
    programs = request.config.getoption("--postgres-bin")
    with service_with(**{"MEMFERRY_POSTGRES_BIN": str(programs)} if programs else {}) as service:
        url = owner_url(Settings.from_environment({}, data_dir=service.store.parent).database)
        nice = after_an_export(service, url)
        worker = service.worker_pid()

        assert worker is not None
        assert os.getpriority(os.PRIO_PROCESS, worker) == _NICE
        assert os.getpriority(os.PRIO_PROCESS, service.process.pid) == ours
        # The three readers of the export at least; and those of the API, which hurry.
        assert nice.count(_NICE) >= 3
        assert nice.count(ours) >= 1
        group = Path(f"/proc/{worker}/autogroup")
        assert not group.exists() or f"nice {_NICE}" in group.read_text()


def slice_ms(process: int) -> float:
    """How long a process may run before it must look whether others wait (sched_getattr(2))."""
    number = {"x86_64": 315, "aarch64": 275, "riscv64": 275}.get(platform.machine())
    release = platform.release().split(".")
    if number is None or (int(release[0]), int(release[1])) < (6, 12):
        pytest.skip("slices cannot be chosen here")
    found = (ctypes.c_uint64 * 6)()
    assert ctypes.CDLL(None).syscall(number, process, found, ctypes.sizeof(found), 0) == 0
    return found[3] / 1e6


def test_a_nice_worker_is_preempted_by_waking_processes() -> None:
    with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE) as sleeper:
        give_way(0, sleeper.pid)
        before = slice_ms(sleeper.pid)
        give_way(12, sleeper.pid)
        after, nice = slice_ms(sleeper.pid), os.getpriority(os.PRIO_PROCESS, sleeper.pid)
        sleeper.kill()

    assert before == slice_ms(os.getpid()) < after == 20
    assert nice == 12


def test_giving_way_never_raises_a_priority() -> None:
    with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE) as sleeper:
        give_way(12, sleeper.pid)
        give_way(_NICE, sleeper.pid)
        nice = os.getpriority(os.PRIO_PROCESS, sleeper.pid)
        sleeper.kill()

    assert nice == 12


def test_the_processes_of_an_external_server_are_left_alone(
    request: pytest.FixtureRequest, database_url: str
) -> None:
    if request.config.getoption("--database-url"):
        pytest.skip("its processes cannot be looked at from here")
    ours = _not_nicer()
    with (
        create_database(database_url) as url,
        service_with(MEMFERRY_DATABASE_URL=url) as service,
    ):
        nice = after_an_export(service, url)
        worker = service.worker_pid()

        assert worker is not None
        assert os.getpriority(os.PRIO_PROCESS, worker) == _NICE
        assert set(nice) == {ours}
