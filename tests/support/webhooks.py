"""A webhook of a tenant, and the server that it leads to."""

import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from support.people import Person


class Receiver(ThreadingHTTPServer):
    """A real HTTP server that keeps what it gets and answers as it is told."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/hook"
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.status = 204

    def events(self) -> list[str]:
        """The names of the events so far."""
        return [json.loads(body)["event"] for _, body in self.got]

    def wait_for(self, count: int) -> None:
        """Return once that many deliveries have come."""
        deadline = time.monotonic() + 20
        while len(self.got) < count:
            assert time.monotonic() < deadline, self.events()
            time.sleep(0.02)


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.got.append((dict(self.headers), body))
        self.send_response(self.server.status)
        self.send_header("Location", self.server.url)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""


def subscribe(person: Person, url: str, *events: str) -> dict[str, Any]:
    answer = person.post("/api/webhooks", json={"url": url, "events": list(events)})
    assert answer.status_code == 201, answer.text
    hook: dict[str, Any] = answer.json()
    return hook
