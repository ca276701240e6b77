"""The service of the demo: `memferry serve` with a database of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

_START_SECONDS = 60
_COMMAND = (sys.executable, "-m", "memferry")


@dataclass(frozen=True)
class DemoService:
    """A running service, and where its data is."""

    url: str
    data_dir: Path

    def create_token(self, tenant: str) -> str:
        """Make a token of a new tenant, whose name begins with this one."""
        name = f"{tenant}-{os.getpid()}-{int(time.time())}"
        command = [*_COMMAND, "token", "create", "--tenant", name, "--data-dir", str(self.data_dir)]
        result = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - our own command
        return result.stdout.strip()


@contextmanager
def run_service(data_dir: Path) -> Iterator[DemoService]:
    """Run `memferry serve` on a free port; raises SystemExit if it does not start."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    process = subprocess.Popen(  # noqa: S603 - our own command
        [*_COMMAND, "serve", "--port", str(port), "--data-dir", str(data_dir)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        service = DemoService(f"http://127.0.0.1:{port}", data_dir)
        _wait_for_service(process, service)
        yield service
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _wait_for_service(process: "subprocess.Popen[bytes]", service: DemoService) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit(
                f"memferry did not start; why, says: ./run serve --data-dir {service.data_dir}"
            )
        try:
            if httpx.get(f"{service.url}/health").is_success:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise SystemExit("memferry did not start in time")
