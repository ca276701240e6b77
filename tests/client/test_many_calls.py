"""A client may be asked for more at once than it has connections: calls wait for each other."""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx
import pytest

from memferry.client import AsyncClient, Client

_CALLS = 120
_IMPATIENT = httpx.Timeout(30, pool=0)


class SlowAnswer(BaseHTTPRequestHandler):
    """Answers late, so that all calls are there before the first is done."""

    def do_GET(self) -> None:
        time.sleep(0.5)
        self.send_response(200)
        self.send_header("Content-Length", "12")
        self.end_headers()
        self.wfile.write(b'{"ok": true}')

    def log_message(self, *_arguments: object) -> None:
        """Print nothing."""


class SlowServer(ThreadingHTTPServer):
    request_queue_size = _CALLS


@pytest.fixture
def url() -> Iterator[str]:
    """The address of a service that answers late."""
    with SlowServer(("127.0.0.1", 0), SlowAnswer) as server:
        Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


async def test_calls_that_wait_for_other_calls_of_the_client_do_not_fail(url: str) -> None:
    async with AsyncClient(url, timeout=_IMPATIENT) as client:
        answers = await asyncio.gather(*(client.get_health() for _ in range(_CALLS)))

    assert all(answer.ok for answer in answers)


def test_threads_that_share_a_client_wait_for_each_other(url: str) -> None:
    with Client(url, timeout=_IMPATIENT) as client, ThreadPoolExecutor(_CALLS) as pool:
        answers = list(pool.map(lambda _: client.get_health(), range(_CALLS)))

    assert all(answer.ok for answer in answers)
