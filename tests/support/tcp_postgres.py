"""A PostgreSQL that listens on TCP, as that of an operator does."""

import asyncio
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

from memferry.database.binaries import ensure_account, find_binaries
from support.service import find_free_port, list_children

_OPTIONS = "-c unix_socket_directories= -c fsync=off -c max_connections=100 -c listen_addresses=*"
_WHO = "host all all all trust\nhost replication all all trust\n"


@dataclass
class TcpServer:
    """A server on every address of this machine; the owner needs no password."""

    home: Path
    programs: Path
    as_user: dict[str, Any]
    port: int = field(default_factory=find_free_port)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def data(self) -> Path:
        return self.home / f"data-{self.port}"

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://owner@127.0.0.1:{self.port}/{database}"

    def run(self, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs to its end."""
        command = [f"{self.programs / program}", *arguments]
        subprocess.run(command, check=True, capture_output=True, cwd="/", **self.as_user)

    def start(self, *options: str) -> None:
        """Start it with these further settings, and wait until it answers."""
        settings = [word for option in options for word in ("-c", option)]
        with (self.home / f"log-{self.port}").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *(self.programs / "postgres", "-D", self.data, "-c", f"port={self.port}"),
                    *(*_OPTIONS.split(), *settings),
                ],
                stdout=log,
                stderr=log,
                **self.as_user,
            )
        asyncio.run(_wait_for(self.url()))

    def stop(self) -> None:
        """Stop it in order, if it runs; those who are connected are cut off."""
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(30)
            self.process = None

    def kill(self) -> None:
        """End each of its processes at once, as a machine that is lost does."""
        assert self.process is not None
        for pid in (self.process.pid, *list_children(self.process.pid)):
            os.kill(pid, signal.SIGKILL)
        self.process.wait(30)
        self.process = None


@contextmanager
def run_tcp_server(programs: Path | None = None) -> Iterator[TcpServer]:
    """A server that runs; it ends with everything in its home."""
    account = ensure_account("memferry")
    with tempfile.TemporaryDirectory(prefix="memferry-tcp-") as name:
        home = Path(name)
        home.chmod(0o711)
        as_user = account.popen if account else {}
        server = TcpServer(home, find_binaries(programs, account, home), as_user)
        server.data.mkdir(mode=0o700)
        if account is not None:
            os.chown(server.data, account.uid, account.gid)
        server.run("initdb", "-D", f"{server.data}", "-U", "owner", "-A", "trust", "-E", "UTF8")
        (server.data / "pg_hba.conf").write_text(_WHO)
        try:
            server.start()
            yield server
        finally:
            server.stop()


@contextmanager
def run_tcp_postgres(programs: Path | None = None) -> Iterator[int]:
    """Its port."""
    with run_tcp_server(programs) as server:
        yield server.port


async def _wait_for(url: str) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                connection = await asyncpg.connect(url)
            except (OSError, asyncpg.PostgresError):
                await asyncio.sleep(0.1)
            else:
                return await connection.close()
