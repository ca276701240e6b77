"""The service of the demo: `memferry serve` with a database of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from memferry.model.token import USUAL_SCOPES

_START_SECONDS = 60
_COMMAND = (sys.executable, "-m", "memferry")


@dataclass(frozen=True)
class DemoService:
    """A running service, and where its data is."""

    url: str
    data_dir: Path

    @staticmethod
    def name_tenant(word: str) -> str:
        """A name for a tenant of this run alone."""
        return f"{word}-{os.getpid()}-{int(time.time())}"

    def create_token(self, tenant: str, scopes: Sequence[str] = USUAL_SCOPES) -> str:
        """Make a token of a tenant."""
        return self._create(tenant, scopes)

    def create_link(self, tenant: str, scopes: Sequence[str]) -> str:
        """Make a link that signs a browser in once, within 15 minutes."""
        return self._create(tenant, scopes, "--link")

    def _create(self, tenant: str, scopes: Sequence[str], *more: str) -> str:
        command = [*_COMMAND, "token", "create", "--tenant", tenant, "--name", "demo", *more]
        command += [word for scope in scopes for word in ("--scope", scope)]
        command += ["--data-dir", str(self.data_dir)]
        environment = os.environ | {"MEMFERRY_PUBLIC_URL": self.url}
        result = subprocess.run(  # noqa: S603 - our own command
            command, check=True, capture_output=True, text=True, env=environment
        )
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
                f"memferry did not start; why, says: memferry serve --data-dir {service.data_dir}"
            )
        try:
            if httpx.get(f"{service.url}/health").is_success:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise SystemExit("memferry did not start in time")
