"""Downloads over a line that breaks: every client comes to the right bytes in the end."""

import hashlib
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest

from memferry.client import Client
from memferry.client.steps import Flow, OpenFile, OpenStep
from support.command_line import run_memferry
from support.people import Person, make_person
from support.service import Service

CUTS = 20
ROWS = 10_001


class BreakingLine:
    """A way to the service that cuts downloads off after as many bytes as `cuts` says, in turn."""

    def __init__(self, target: str, cuts: list[int]) -> None:
        host, port = target.removeprefix("http://").split(":")
        self._target = (host, int(port))
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.cuts = cuts
        self.ranges: list[str] = []
        self.pause_seconds = 0.0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Accept no more."""
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError), socket.create_connection(self._target) as server:
            while request := client.recv(65536):
                server.sendall(request)
                if request.startswith(b"GET /downloads/"):
                    self._download(request, server, client)
                    return
                self._answer(server, client)

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        """Pass one answer on, which fits in the time it takes."""
        server.settimeout(0.3)
        with suppress(TimeoutError):
            while data := server.recv(65536):
                client.sendall(data)
        server.settimeout(None)

    def _download(self, request: bytes, server: socket.socket, client: socket.socket) -> None:
        lines = request.decode("latin-1").lower().split("\r\n")
        self.ranges += [line for line in lines if line.startswith("range:")]
        left = self.cuts.pop(0) if self.cuts else sys.maxsize
        while left > 0 and (data := server.recv(65536)):
            client.sendall(data[:left])
            left -= len(data)
            time.sleep(self.pause_seconds)


@pytest.fixture
def line(service: Service, seed: int) -> Iterator[BreakingLine]:
    """A line that breaks twenty times, at random places."""
    chance = random.Random(seed)
    breaking = BreakingLine(service.url, [chance.randint(1, 900_000) for _ in range(CUTS)])
    yield breaking
    breaking.close()


@pytest.fixture(scope="module")
def alice(service: Service, database_url: str) -> Iterator[Person]:
    """Alice with rows that make about 20 MB; nobody here changes them."""
    with make_person("alice", service, database_url) as person:
        person.save_many([{"content": f"memory {i} " + "x" * 1800} for i in range(ROWS)])
        yield person


@pytest.fixture(scope="module")
def export(alice: Person) -> dict[str, Any]:
    """A finished export of all of them."""
    return alice.wait_for(alice.export(format="ndjson"))


def test_a_download_in_ranges_has_the_right_digest(
    export: dict[str, Any], line: BreakingLine, service: Service
) -> None:
    url = export["download_url"].replace(service.url, line.url)
    etag = httpx.head(export["download_url"]).headers["etag"]
    data = b""
    while len(data) < export["bytes_done"]:
        headers = {"Range": f"bytes={len(data)}-", "If-Range": etag}
        with suppress(httpx.TransportError), httpx.stream("GET", url, headers=headers) as answer:
            assert answer.status_code == 206
            for chunk in answer.iter_raw():
                data += chunk

    assert line.cuts == []
    assert hashlib.sha256(data).hexdigest() == export["sha256"]


def test_the_command_resumes_a_broken_download(
    alice: Person, export: dict[str, Any], line: BreakingLine, tmp_path: Path
) -> None:
    target = tmp_path / "out.ndjson"
    done = run_memferry(
        *("export", "--id", export["id"], "-o", str(target)),
        person=alice,
        settings={"MEMFERRY_URL": line.url},
    )

    assert done.returncode == 0, done.stderr
    assert line.cuts == []
    assert len(line.ranges) >= CUTS - 1
    assert hashlib.sha256(target.read_bytes()).hexdigest() == export["sha256"]
    assert list(tmp_path.iterdir()) == [target]


def test_a_killed_download_is_resumed_by_the_next_one(
    alice: Person, export: dict[str, Any], line: BreakingLine, tmp_path: Path
) -> None:
    target = tmp_path / "out.ndjson"
    line.cuts, line.pause_seconds = [], 0.02
    arguments = ["export", "--id", export["id"], "-o", str(target)]
    process = subprocess.Popen(
        [sys.executable, "-m", "memferry", *arguments],
        env=os.environ | {"MEMFERRY_URL": line.url, "MEMFERRY_TOKEN": alice.token},
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 20
    while sum(path.stat().st_size for path in tmp_path.iterdir()) < 1_000_000:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    (partial,) = tmp_path.iterdir()
    there = partial.stat().st_size
    line.pause_seconds = 0
    done = run_memferry(*arguments, person=alice, settings={"MEMFERRY_URL": line.url})

    assert done.returncode == 0, done.stderr
    assert line.ranges == [f"range: bytes={there}-"]
    assert hashlib.sha256(target.read_bytes()).hexdigest() == export["sha256"]
    assert list(tmp_path.iterdir()) == [target]


def test_wrong_bytes_from_an_earlier_download_are_thrown_away(
    alice: Person, export: dict[str, Any], tmp_path: Path
) -> None:
    target = tmp_path / "out.ndjson"
    tmp_path.joinpath(f".{target.name}.{export['id']}.partial").write_bytes(b"not the beginning")
    arguments = ["export", "--id", export["id"], "-o", str(target)]
    first = run_memferry(*arguments, person=alice)
    left = list(tmp_path.iterdir())
    second = run_memferry(*arguments, person=alice)

    assert first.returncode == 1
    assert b"SHA-256 differs" in first.stderr
    assert left == []
    assert second.returncode == 0
    assert hashlib.sha256(target.read_bytes()).hexdigest() == export["sha256"]


class Elsewhere(BaseHTTPRequestHandler):
    """Where a link leads; it sends on whoever comes."""

    asked: ClassVar[list[tuple[str, str | None]]] = []

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers["Authorization"]))
        self.send_response(302 if self.path == "/file" else 200)
        self.send_header("Location", "/more")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def open_link(url: str) -> Flow[OpenFile]:
    """Open a link as a download does."""
    file: OpenFile = yield OpenStep(url, 0)
    return file


def test_the_token_is_not_sent_to_the_host_of_a_link() -> None:
    with HTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}"
        with (
            Client(url, "mnu_secret") as client,
        ):
            status = client.connection.run(open_link(f"{url}/file")).status
        server.shutdown()
        thread.join()

    assert status == 302
    assert Elsewhere.asked == [("/file", None)]


def test_filters_beside_an_id_are_refused(alice: Person) -> None:
    done = run_memferry("export", "--id", "x", "--tag", "a", person=alice)

    assert done.returncode == 1
    assert b"--id" in done.stderr


def test_the_command_reports_an_unknown_export(alice: Person) -> None:
    done = run_memferry("export", "--id", "../x?y", person=alice)

    assert done.returncode == 1
    assert b"not found" in done.stderr
