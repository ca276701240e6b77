"""PostgreSQL over TLS: verified by every process and command, and refused when it is not the one.

The wheel's PostgreSQL knows no TLS; these tests need another, such as Debian's.
"""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import asyncpg
import pytest

from memferry.database.binaries import Account, ensure_account
from memferry.tenants.operator import Operator
from support.certificates import Authority
from support.people import Person
from support.service import find_free_port, start_service, stop_service

PROGRAMS = Path("/usr/lib/postgresql/15/bin")
PASSWORD = "only-over-tls"

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        not (PROGRAMS / "postgres").exists(),
        reason="needs a PostgreSQL that knows TLS (Debian: postgresql-15)",
    ),
]


@dataclass(frozen=True)
class Server:
    """A PostgreSQL that takes nothing but TLS, by password, as `localhost`."""

    port: int
    authority: Path
    stranger: Path

    def url(self, host: str = "localhost", **options: str) -> str:
        """An address with these options of libpq."""
        query = urlencode(options)
        return f"postgresql://owner:{PASSWORD}@{host}:{self.port}/postgres?{query}"

    def verified(self) -> str:
        """The address as an operator should write it."""
        return self.url(sslmode="verify-full", sslrootcert=str(self.authority))


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="memferry-tls-") as name:
        home = Path(name)
        account = ensure_account("memferry")
        authority, stranger = Authority(home, "authority"), Authority(home, "stranger")
        made = Server(find_free_port(), authority.certificate, stranger.certificate)
        prepare(home, authority, account)
        home.chmod(0o755)
        options = f"-c port={made.port} -c ssl=on -c unix_socket_directories= -c fsync=off"
        with (home / "log").open("wb") as log:
            process = subprocess.Popen(
                [PROGRAMS / "postgres", "-D", home / "data", *options.split()],
                stdout=log,
                stderr=log,
                **as_user(account),
            )
        try:
            wait_for(made, home / "log")
            yield made
        finally:
            process.terminate()
            process.wait(30)


def as_user(account: Account | None) -> dict[str, Any]:
    return account.popen if account else {}


def prepare(home: Path, authority: Authority, account: Account | None) -> None:
    """A cluster whose server shows a certificate for `localhost`."""
    data, password = home / "data", home / "password"
    password.write_text(PASSWORD)
    data.mkdir(mode=0o700)
    signed = authority.sign("localhost")
    if account is not None:
        for path in (home, data, password):
            os.chown(path, account.uid, account.gid)
    subprocess.run(
        [
            *(PROGRAMS / "initdb", "-D", data, "-U", "owner", "--auth=scram-sha-256"),
            *("--encoding=UTF8", "--locale=C.UTF-8", f"--pwfile={password}"),
        ],
        check=True,
        capture_output=True,
        **as_user(account),
    )
    (data / "pg_hba.conf").write_text("hostssl all all all scram-sha-256\n")
    for source, name in ((signed.certificate, "server.crt"), (signed.key, "server.key")):
        shutil.copy(source, data / name)
        (data / name).chmod(0o600)
        if account is not None:
            os.chown(data / name, account.uid, account.gid)


def wait_for(server: Server, log: Path) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            asyncio.run(fetch(server.verified(), "SELECT 1"))
        except (OSError, asyncpg.PostgresError):
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        else:
            return


async def fetch(url: str, query: str) -> list[tuple[Any, ...]]:
    connection = await asyncpg.connect(url)
    rows = [tuple(row.values()) for row in await connection.fetch(query)]
    await connection.close()
    return rows


def memferry(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "memferry", *arguments],
        env=os.environ | {"MEMFERRY_DATABASE_URL": url},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_every_connection_of_a_service_is_verified_and_encrypted(server: Server) -> None:
    migrated = memferry(server.verified(), "migrate")
    assert migrated.returncode == 0, migrated.stderr
    token = asyncio.run(Operator(server.verified()).create_token("alice", ""))
    with tempfile.TemporaryDirectory() as home:
        service = start_service(Path(home), MEMFERRY_DATABASE_URL=server.verified())
        with Person("alice", service.url, token.text) as alice:
            alice.save_many([{"content": f"memory {i}"} for i in range(10_001)])
            finished = alice.wait_for(alice.export())
            query = (
                "SELECT application_name, ssl, version FROM pg_stat_ssl "
                "JOIN pg_stat_activity USING (pid) WHERE client_addr IS NOT NULL"
            )
            sessions = asyncio.run(fetch(server.verified(), query))
        assert stop_service(service) == 0

    assert finished["status"] == "completed"
    # The API's pool, the worker's, the worker's listener, and the one that asks.
    assert len(sessions) >= 4
    # A worker's own word stands behind its name.
    assert {name[: len("memferry worker")] for name, _, _ in sessions} == {
        "memferry", "memferry worker", "",
    }  # fmt: skip
    assert all(encrypted for _, encrypted, _ in sessions)
    assert {version for _, _, version in sessions} <= {"TLSv1.2", "TLSv1.3"}


@pytest.mark.parametrize("command", [["migrate"], ["token", "list"], ["doctor"]], ids=" ".join)
@pytest.mark.parametrize(
    ("host", "options", "why"),
    [
        ("localhost", {"sslmode": "verify-full"}, "stranger"),
        ("localhost", {"sslmode": "verify-ca"}, "stranger"),
        ("127.0.0.1", {"sslmode": "verify-full"}, "authority"),
    ],
    ids=["full, wrong authority", "ca, wrong authority", "wrong name"],
)
def test_a_server_with_a_certificate_for_another_name_is_refused(
    server: Server, command: list[str], host: str, options: dict[str, str], why: str
) -> None:
    done = memferry(server.url(host, **options, sslrootcert=str(getattr(server, why))), *command)

    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert "certificate verify failed" in said
    assert PASSWORD not in said
    assert "Traceback" not in said


def test_the_api_serves_nobody_from_a_database_it_cannot_verify(server: Server) -> None:
    url = server.url(sslmode="verify-full", sslrootcert=str(server.stranger))
    done = memferry(url, "serve", "--port", str(find_free_port()))

    assert done.returncode == 1
    assert "certificate verify failed" in done.stderr


def test_without_a_known_authority_no_server_is_trusted(server: Server) -> None:
    url = server.url(sslmode="verify-full", sslrootcert="/nowhere/ca.pem")
    done = memferry(url, "migrate")

    assert done.returncode == 1
    assert "No such file" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_connection_in_the_clear_is_refused_by_the_server(server: Server) -> None:
    done = memferry(server.url(sslmode="disable"), "migrate")

    assert done.returncode == 1
    assert "no encryption" in done.stderr
    assert PASSWORD not in done.stderr
