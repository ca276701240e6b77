"""A service is not held to the few open files that a login gets."""

import os
import re
import resource
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from memferry.database.embedded import EmbeddedPostgres
from support.postgres import create_database
from support.service import NO_TLS, Service, find_child, start_service, stop_service
from support.tokens import fetchval
from support.waiting import wait_until

_SOFT = 256
_CONNECTIONS = 400


@contextmanager
def soft_limit(files: int) -> Iterator[None]:
    """What is started in here may have that many files open, unless it asks for more."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.fixture(scope="module")
def own() -> Iterator[Service]:
    """A service with its own PostgreSQL, started by somebody with a low limit."""
    with tempfile.TemporaryDirectory(prefix="memferry-files-") as name:
        Path(name).chmod(0o711)
        with soft_limit(_SOFT):
            running = start_service(Path(name))
        yield running
        assert stop_service(running) == 0


def test_more_connections_than_the_soft_limit_of_files_are_served(own: Service) -> None:
    parts = urlsplit(own.url)
    with ExitStack() as stack:
        for _ in range(_CONNECTIONS):
            address = (parts.hostname, parts.port)
            stack.enter_context(socket.create_connection(address, timeout=10))
        with httpx.Client(verify=NO_TLS) as client:
            answer = client.get(f"{own.url}/health", timeout=10)

    assert answer.json() == {"ok": True}


def test_a_worker_raises_its_limit_of_files_to_the_hard_limit(
    database_url: str, tmp_path: Path
) -> None:
    with create_database(database_url) as url, soft_limit(_SOFT):
        worker = subprocess.Popen(
            [sys.executable, "-m", "memferry", "worker", "--data-dir", str(tmp_path)],
            env=os.environ | {"MEMFERRY_DATABASE_URL": url},
        )
        try:
            wait_until(lambda: resource.prlimit(worker.pid, resource.RLIMIT_NOFILE)[0] > _SOFT)
        finally:
            worker.terminate()
            worker.wait(30)


async def test_the_embedded_server_keeps_to_its_own_limit(own: Service) -> None:
    postgres = find_child(own.process.pid, "postgres -D")
    assert postgres is not None
    limits = Path(f"/proc/{postgres}/limits").read_text()
    url = EmbeddedPostgres(own.home / "postgres").url()

    assert re.search(rf"^Max open files +{_SOFT} ", limits, re.MULTILINE) is None
    assert await fetchval(url, "SHOW max_files_per_process") == "1000"
