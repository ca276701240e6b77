"""The client waits as long as an answer says, and repeats nothing that could happen twice."""

import json
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import ClassVar

import pytest

from memferry.client import AsyncClient, Client
from memferry.client.calls import Call
from memferry.errors import DatabaseUnavailable, MemferryError, ServiceRefused, TooManyRequests

READ, SAVE = Call("GET", "/"), Call("POST", "/", {})


class Busy(BaseHTTPRequestHandler):
    """Refuses a number of times, then answers 200."""

    refusals = 0
    status = 429
    code: str | None = None
    retry_after: str | None = "1"
    times: ClassVar[list[float]]
    url = ""

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        type(self).times.append(time.monotonic())
        refused = len(self.times) <= self.refusals
        error = {"error": "The limit is reached.", "code": self.code}
        body = json.dumps(error if refused else {"ok": True}).encode()
        self.send_response(self.status if refused else 200)
        if self.retry_after is not None:
            self.send_header("Retry-After", self.retry_after)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.do_GET()

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


def test_the_client_waits_as_long_as_retry_after_says(busy: type[Busy]) -> None:
    busy.refusals, busy.retry_after = 1, "2"
    with Client(busy.url, "mnu_x") as client:
        answer = client.call(READ, dict)

    assert answer == {"ok": True}
    assert busy.times[1] - busy.times[0] >= 2


def test_the_client_does_not_wait_for_an_hour(busy: type[Busy]) -> None:
    busy.refusals, busy.retry_after = 100, "3600"
    with (
        Client(busy.url, "mnu_x") as client,
        pytest.raises(ServiceRefused, match="limit is reached"),
    ):
        client.call(READ, dict)

    assert len(busy.times) == 1


def test_the_client_gives_up_after_its_deadline(busy: type[Busy]) -> None:
    busy.refusals, busy.retry_after, busy.code = 100, None, "too_many_requests"
    with Client(busy.url, "mnu_x", retry_seconds=1) as client, pytest.raises(TooManyRequests):
        client.call(READ, dict)

    assert 1 < len(busy.times) < 10
    assert busy.times[-1] - busy.times[0] < 2


@pytest.mark.parametrize(
    ("status", "code", "call", "tries"),
    [
        (429, "too_many_requests", SAVE, 2),
        (503, "busy", SAVE, 2),
        (503, "database_unavailable", SAVE, 1),
        (503, "database_unavailable", READ, 2),
        (503, "database_unavailable", Call("POST", "/", {}, idempotency_key="k"), 2),
        (503, None, SAVE, 1),
        (502, None, READ, 2),
        (409, "project_name_in_use", READ, 1),
        (400, "invalid", READ, 1),
    ],
)
def test_only_what_had_no_effect_is_sent_again(
    busy: type[Busy], status: int, code: str | None, call: Call, tries: int
) -> None:
    busy.refusals, busy.retry_after, busy.status, busy.code = 1, "0", status, code
    with Client(busy.url, "mnu_x") as client:
        try:
            client.call(call, dict)
        except MemferryError:
            assert tries == 1

    assert len(busy.times) == tries


async def test_the_asynchronous_client_has_the_same_patience(busy: type[Busy]) -> None:
    busy.refusals, busy.retry_after, busy.status = 1, "0", 503
    busy.code = "database_unavailable"
    async with AsyncClient(busy.url, "mnu_x") as client:
        with pytest.raises(DatabaseUnavailable):
            await client.call(SAVE, dict)
        answer = await client.call(SAVE, dict)

    assert answer == {"ok": True}
