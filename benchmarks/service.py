"""A real `memferry serve` with seeded tenants, and clients that do nothing but speak HTTP."""

import asyncio
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg

from memferry.database.binaries import find_binaries
from memferry.database.servers import owner_url, service_url
from memferry.settings import Settings
from memferry.tenants.operator import Operator
from seed import seed

T = TypeVar("T")
_POLL_SECONDS = 0.01
# Each look costs the machine that is measured: what takes long is looked at less often, by so much
# of the time that it has taken.
_POLL_SHARE = 0.025
_START_SECONDS = 120


def free_port() -> int:
    """A port nobody listens on right now."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port


@dataclass(frozen=True, kw_only=True)
class Options:
    """What was asked for on the command line."""

    rows: int
    rounds: int
    long: bool
    quick: bool
    locomo: str | None = None
    locomo_questions: str | None = None


class Client:
    """One tenant's open connection; answers are bytes, so that parsing them costs nothing here."""

    def __init__(self, port: int, tenant_id: UUID, token: str) -> None:
        self.tenant_id = tenant_id
        self._connection = HTTPConnection("127.0.0.1", port, timeout=3600)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def request(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        """Send it, and read the answer to its last byte; bytes and files are sent as they are."""
        content = json.dumps(body) if isinstance(body, dict) else body
        self._renew()
        self._connection.request(method, path, content, self._headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def _renew(self) -> None:
        """Connect anew if the server has hung up: it does so after a few idle seconds."""
        if self._connection.sock and select.select([self._connection.sock], [], [], 0)[0]:
            self._connection.close()

    def good(self, method: str, path: str, body: Any = None) -> bytes:
        """The same, where anything but success is an error."""
        status, answer = self.request(method, path, body)
        assert 200 <= status < 300, (status, answer[:500])
        return answer

    def post_export(self, **body: Any) -> bytes:
        """Ask for an export; answers what the service said."""
        return self.good("POST", "/api/memories/exports", body)

    def export(self, *, poll_seconds: float = _POLL_SECONDS, **body: Any) -> dict[str, Any]:
        """A queued export, from the request until it is completed."""
        started = time.monotonic()
        export: dict[str, Any] = json.loads(self.post_export(**body))
        while export["status"] in ("pending", "running"):
            time.sleep(max(poll_seconds, _POLL_SHARE * (time.monotonic() - started)))
            export = json.loads(self.good("GET", f"/api/memories/exports/{export['id']}"))
        assert export["status"] == "completed", export
        return export

    def delete_export(self, export_id: str) -> None:
        """Remove an export with its file, or cancel it."""
        self.good("DELETE", f"/api/memories/exports/{export_id}")

    def download(self, export: dict[str, Any], target: Path) -> None:
        """Bring the file of a completed export here."""
        link = urlsplit(export["download_url"])
        connection = HTTPConnection(link.hostname or "", link.port, timeout=3600)
        connection.request("GET", f"{link.path}?{link.query}" if link.query else link.path)
        with target.open("wb") as file:
            shutil.copyfileobj(connection.getresponse(), file, 1024 * 1024)
        connection.close()

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


class Bench:
    """The stage of all cases: a service on a data directory of its own, and its tenants."""

    def __init__(self, options: Options, home: Path) -> None:
        self.options = options
        self.home = home
        self.settings = Settings.from_environment({}, data_dir=home / "data")
        self.psql = find_binaries(None, None, home) / "psql"
        self.owner_url = owner_url(self.settings.database)
        self.service_url = service_url(self.settings.database)
        self._runner = asyncio.Runner()
        self._tenants: dict[str, tuple[UUID, str]] = {}
        self._service: subprocess.Popen[bytes] | None = None
        self.port = 0

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something asynchronous; connections made in one run serve in the next."""
        return self._runner.run(work)

    def owner(self) -> "asyncpg.Connection[asyncpg.Record]":
        """A connection as the owner of the tables."""
        return self.run(asyncpg.connect(self.owner_url))

    def start(self, **environment: str) -> None:
        """Start the service, and wait until it answers."""
        self.port = free_port()
        command = [sys.executable, "-m", "memferry", "serve", "--port", str(self.port)]
        self._service = self._spawn(command, environment)
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if self._service.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"no service: {(self.home / 'log').read_text()[-2000:]}")
            time.sleep(0.1)

    def change_store(self, **environment: str) -> None:
        """Start the service anew with other settings of its store, which becomes its own."""
        self.stop()
        adopted = self._spawn([sys.executable, "-m", "memferry", "store", "adopt"], environment)
        assert adopted.wait() == 0, (self.home / "log").read_text()[-2000:]
        self.start(**environment)

    def _answers(self) -> bool:
        with suppress(OSError):
            connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
            connection.request("GET", "/health")
            return connection.getresponse().status == 200
        return False

    def stop(self) -> None:
        """Stop the service with all its processes."""
        if self._service is not None:
            self._service.send_signal(signal.SIGTERM)
            self._service.wait()
            self._service = None

    def close(self) -> None:
        """Stop everything."""
        self.stop()
        self._runner.close()

    @contextmanager
    def run_another_worker(self) -> Iterator[None]:
        """One more worker process beside the service's own."""
        worker = self._spawn([sys.executable, "-m", "memferry", "worker"], {})
        try:
            yield
        finally:
            worker.send_signal(signal.SIGTERM)
            worker.wait()

    def _spawn(self, command: list[str], environment: dict[str, str]) -> "subprocess.Popen[bytes]":
        own = {"MEMFERRY_DATA_DIR": str(self.settings.data_dir), **environment}
        kept = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("MEMFERRY_", "AWS_"))
        }
        with (self.home / "log").open("ab") as log:
            return subprocess.Popen(command, env=kept | own, stdout=log, stderr=log)

    def worker_pid(self) -> int | None:
        """The service's own worker process; None between two of them."""
        assert self._service is not None
        parent = self._service.pid
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        for pid in children:
            with suppress(OSError):
                if b"\0worker\0" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    return int(pid)
        return None

    def renew_worker(self) -> int:
        """End the worker in its good order; answers the process that takes its place."""
        before = self.worker_pid()
        if before is not None:
            os.kill(before, signal.SIGTERM)
        while (now := self.worker_pid()) in (None, before):
            time.sleep(0.1)
        assert now is not None
        return now

    def seed(self, rows: dict[str, int], *, searched: bool = True) -> None:
        """Make tenants with that many rows each, unless they are there.

        Those that need not be searched may leave the table without the indexes for it.
        """
        wanted = {name: count for name, count in rows.items() if name not in self._tenants}
        if not wanted:
            return
        for name in wanted:
            token = self.run(Operator(self.owner_url).create_token(name, "bench")).text
            self._tenants[name] = (self.run(self._tenant_id(name)), token)
        given = {name: (self._tenants[name][0], count) for name, count in wanted.items()}
        self.run(seed(self.owner_url, given, searched=searched))

    async def _tenant_id(self, name: str) -> UUID:
        connection = await asyncpg.connect(self.owner_url)
        found = await connection.fetchval("SELECT id FROM memferry.tenants WHERE name = $1", name)
        await connection.close()
        return UUID(str(found))

    def client(self, name: str) -> Client:
        """A new connection of a seeded tenant."""
        tenant_id, token = self._tenants[name]
        return Client(self.port, tenant_id, token)

    def tenant_id(self, name: str) -> UUID:
        """The id of a seeded tenant."""
        return self._tenants[name][0]


@contextmanager
def open_bench(options: Options) -> Iterator[Bench]:
    """A running service with its four tenants; nothing of it is left afterwards."""
    home = Path(tempfile.mkdtemp(prefix="memferry-bench-"))
    # As root PostgreSQL runs as a user of its own, who must be able to enter.
    home.chmod(0o711)
    bench = Bench(options, home)
    try:
        bench.start()
        other = max(options.rows // 10, 10_001)
        bench.seed({"big": options.rows, "few": 10_000, "tiny": 100, "other": other})
        yield bench
    finally:
        bench.close()
        shutil.rmtree(home, ignore_errors=True)
