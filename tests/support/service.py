"""`memferry serve` as a process: start it, look at its children, stop it."""

import os
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx

DEFAULT_DATA_DIR = Path(tempfile.mkdtemp(prefix="memferry-default-"))


# For clients that speak plain HTTP on this machine: to load the known authorities, as each client
# does by default, takes longer than most tests.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@contextmanager
def keep_default_places() -> Iterator[dict[Path, float | None]]:
    """The times at which the machine's default data directories changed last; they must stay."""
    before = _read_default_places()
    yield before
    assert _read_default_places() == before


def _read_default_places() -> dict[Path, float | None]:
    places = (Path("/var/lib/memferry"), Path.home() / ".local/share/memferry")
    return {path: path.stat().st_mtime if path.exists() else None for path in places}


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
        return find_child(self.process.pid, "memferry worker")


@contextmanager
def asleep(service: Service) -> Iterator[None]:
    """A time in which the worker claims nothing."""
    worker = service.worker_pid()
    assert worker is not None
    os.kill(worker, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(worker, signal.SIGCONT)


def list_children(parent: int) -> list[int]:
    """The processes that a process has started and that still run."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, parent_pid = stat.read_text().rpartition(")")[2].split()[:2]
            if int(parent_pid) == parent and state != "Z":
                found.append(int(stat.parent.name))
    return found


def find_child(parent: int, words: str) -> int | None:
    """The one child whose command line holds these words."""
    for pid in list_children(parent):
        with suppress(OSError):
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
            if words.encode() in command:
                return pid
    return None


def find_free_port() -> int:
    """A port nobody listens on right now."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port


def start_service(home: Path, *options: str, **environment: str) -> Service:
    """Start the real thing and wait until it answers; nothing of ours lies in its home."""
    return _start(home, find_free_port(), options, environment)


def start_again(service: Service) -> Service:
    """Start a service that was stopped, at the same address."""
    port = int(service.url.rpartition(":")[2])
    return _start(service.home, port, (), service.environment)


def _start(home: Path, port: int, options: tuple[str, ...], environment: dict[str, str]) -> Service:
    # Tests run side by side: nobody's worker is to wait for everybody else.
    environment = {"MEMFERRY_WORKER_NICE": "0"} | environment
    log = DEFAULT_DATA_DIR / f"serve-{uuid4().hex[:8]}.log"
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


@contextmanager
def run_service(home: Path, database_url: str) -> Iterator[Service]:
    """The service that all tests share; it must end without a fault."""
    service = start_service(
        home,
        MEMFERRY_DATABASE_URL=database_url,
        MEMFERRY_WEBHOOKS_ALLOW_PRIVATE="true",
        MEMFERRY_LEASE_SECONDS="2",
    )
    yield service
    assert stop_service(service) == 0


@contextmanager
def run_own_service(*options: str, **environment: str) -> Iterator[Service]:
    """A service in a directory of its own, on an external database; it ends without a fault."""
    with tempfile.TemporaryDirectory(prefix="memferry-own-") as name:
        service = start_service(Path(name), *options, **environment)
        yield service
        assert stop_service(service) == 0
