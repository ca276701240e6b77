"""The command line waits for a limit as long as the answer says, and no longer."""

import json
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import ClassVar

import pytest

from memferry.client.calls import Call
from memferry.client.client import Client
from memferry.errors import ServiceRefused


class Busy(BaseHTTPRequestHandler):
    """Answers 429 a number of times, then 200."""

    refusals = 0
    retry_after = "1"
    times: ClassVar[list[float]]
    url = ""

    def do_GET(self) -> None:
        type(self).times.append(time.monotonic())
        refused = len(self.times) <= self.refusals
        body = json.dumps({"error": "The limit is reached."} if refused else {"ok": True}).encode()
        self.send_response(429 if refused else 200)
        self.send_header("Retry-After", self.retry_after)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@pytest.fixture
def busy() -> Iterator[type[Busy]]:
    """A service that is out of patience with this client."""

    class Handler(Busy):
        times: ClassVar[list[float]] = []

    handler = Handler
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        handler.url = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield handler
        server.shutdown()
        thread.join()


def test_the_command_waits_as_long_as_retry_after_says(busy: type[Busy]) -> None:
    busy.refusals, busy.retry_after = 1, "2"
    with Client(busy.url, "mnu_x") as client:
        answer = client.call(Call("GET", "/"), dict)

    assert answer == {"ok": True}
    assert busy.times[1] - busy.times[0] >= 2


def test_the_command_does_not_wait_for_an_hour(busy: type[Busy]) -> None:
    busy.refusals, busy.retry_after = 100, "3600"
    with (
        Client(busy.url, "mnu_x") as client,
        pytest.raises(ServiceRefused, match="limit is reached"),
    ):
        client.call(Call("GET", "/"), dict)

    assert len(busy.times) == 1
