"""A PostgreSQL that listens on TCP, as that of an operator does."""

import asyncio
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg

from conftest import free_port
from memferry.database.binaries import find_binaries, server_account

_OPTIONS = "-c unix_socket_directories= -c fsync=off -c max_connections=100 -c listen_addresses=*"
_WHO = "host all all all trust\n"


@contextmanager
def tcp_postgres(programs: Path | None = None) -> Iterator[int]:
    """Its port, on every address of this machine; the owner needs no password."""
    account = server_account("memferry")
    with tempfile.TemporaryDirectory(prefix="memferry-tcp-") as name:
        home, data, port = Path(name), Path(name) / "data", free_port()
        home.chmod(0o711)
        data.mkdir(mode=0o700)
        if account is not None:
            os.chown(data, account.uid, account.gid)
        binaries = find_binaries(programs, account, home)
        as_user = account.popen if account else {}
        options = ["-D", str(data), "-U", "owner", "-A", "trust", "-E", "UTF8"]
        subprocess.run([binaries / "initdb", *options], check=True, capture_output=True, **as_user)
        (data / "pg_hba.conf").write_text(_WHO)
        with (home / "log").open("wb") as log:
            process = subprocess.Popen(
                [binaries / "postgres", "-D", data, "-c", f"port={port}", *_OPTIONS.split()],
                stdout=log,
                stderr=log,
                **as_user,
            )
        try:
            asyncio.run(_wait_for(f"postgresql://owner@127.0.0.1:{port}/postgres"))
            yield port
        finally:
            process.terminate()
            process.wait(30)


async def _wait_for(url: str) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                connection = await asyncpg.connect(url)
            except (OSError, asyncpg.PostgresError):
                await asyncio.sleep(0.1)
            else:
                return await connection.close()
