"""Exports as a program fetches them: created, awaited, saved and verified, with their progress."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from msgspec.structs import replace

from memferry.client.calls import Call
from memferry.client.client import Client
from memferry.client.progress import Progress
from memferry.client.readiness import read_readiness
from memferry.errors import ExportNotCompleted, Invalid, ServiceRefused, ServiceUnreachable
from support.people import Person

QUEUED_ROWS = 10_001
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def client(alice: Person) -> Iterator[Client]:
    """Alice's client."""
    with Client(str(alice.base_url), alice.token) as client:
        yield client


class NoMemferry(BaseHTTPRequestHandler):
    """Answers every address with a page."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "6")
        self.end_headers()
        self.wfile.write(b"<html>")

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@pytest.fixture
def other_service() -> Iterator[str]:
    """The address of something that is no memferry."""
    with HTTPServer(("127.0.0.1", 0), NoMemferry) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_queued_export_is_saved_and_its_progress_only_grows(
    alice: Person, client: Client, tmp_path: Path
) -> None:
    alice.save_many([{"content": f"memory {i}"} for i in range(QUEUED_ROWS)])
    reports: list[Progress] = []
    handle = client.exports.create(format="ndjson").wait(reports.append)
    handle.download(tmp_path / "out", progress=reports.append)
    export = handle.answer

    assert (tmp_path / "out").read_bytes().count(b"\n") == QUEUED_ROWS == export.row_count
    for step, total in (("exporting", QUEUED_ROWS), ("downloading", export.file_bytes)):
        done = [report.done for report in reports if report.step == step]
        assert done == sorted(done)
        assert done[-1] == total


def test_an_export_that_failed_raises_its_reason(alice: Person, client: Client) -> None:
    alice.save("a memory")
    export = client.exports.create()
    text = "Its worker died"
    export.answer = replace(export.answer, status="failed", error=text, retryable=True)

    with pytest.raises(ExportNotCompleted, match="failed: Its worker died; asking again may help"):
        export.wait()


def test_a_file_that_cannot_be_written_names_the_argument(
    alice: Person, client: Client, tmp_path: Path
) -> None:
    alice.save("a memory")
    export = client.exports.create()

    with pytest.raises(Invalid, match="output: cannot write"):
        export.download(tmp_path / "missing" / "out")


def test_an_address_that_never_answered_fails_at_once() -> None:
    with (
        Client(NOWHERE, "mnu_x") as client,
        pytest.raises(ServiceUnreachable, match="does not answer"),
    ):
        client.call(Call("GET", "/api/namespaces"), list)
    with pytest.raises(ServiceUnreachable):
        read_readiness(NOWHERE)


def test_a_server_that_is_no_memferry_is_refused(other_service: str) -> None:
    with (
        Client(other_service, "mnu_x") as client,
        pytest.raises(ServiceRefused, match="not as memferry does"),
    ):
        client.exports.get("x")
    with pytest.raises(ServiceRefused, match="it is no memferry"):
        read_readiness(other_service)
