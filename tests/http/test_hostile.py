"""Hostile requests: whatever comes, no 5xx, errors in our shape, and the service goes on.

Each case goes out byte for byte on a connection of its own, since no client library would send it.
"""

import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import urlsplit

import pytest

from support.hostile import BODIES, HEADERS, MESSAGES, PATHS, RANGES, TAKERS
from support.people import Person
from support.service import Service

PATIENCE_SECONDS = 20


@dataclass(frozen=True)
class Answer:
    """The first answer on a connection; no status if there was none."""

    status: int | None
    headers: dict[bytes, bytes]
    body: bytes


def exchange(service: Service, message: bytes) -> Answer:
    """Send bytes as they are, and read one answer."""
    parts = urlsplit(service.url)
    address = (parts.hostname, parts.port)
    with socket.create_connection(address, timeout=PATIENCE_SECONDS) as connection:
        # It may hang up before it has heard all, or wait for more.
        with suppress(ConnectionResetError, BrokenPipeError, TimeoutError):
            connection.sendall(message)
        try:
            return read_answer(connection.makefile("rb"))
        except (ConnectionResetError, TimeoutError):
            return Answer(None, {}, b"")


def read_answer(stream: BinaryIO) -> Answer:
    """One answer whose length is said, or that ends with the connection."""
    first = stream.readline()
    if not first:
        return Answer(None, {}, b"")
    headers = {}
    while (line := stream.readline()) not in {b"\r\n", b""}:
        name, _, value = line.lower().partition(b":")
        headers[name] = value.strip()
    length = headers.get(b"content-length")
    body = stream.read() if length is None else stream.read(int(length))
    return Answer(int(first.split(b" ")[1]), headers, body)


def request(person: Person, target: str, body: bytes = b"", *headers: bytes) -> bytes:
    """A request by this person, with these header lines added."""
    method, path = target.split(" ", 1)
    lines = [
        f"{method} {path} HTTP/1.1".encode("latin-1"),
        b"Host: h",
        f"Authorization: Bearer {person.token}".encode(),
        b"Content-Length: %d" % len(body),
        b"Connection: close",
        *headers,
    ]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def check(answer: Answer, name: str = "") -> None:
    """No fault of the service, and an error in our shape."""
    assert answer.status is not None, name
    assert 200 <= answer.status < 500, (name, answer.body)
    if answer.status >= 400:
        assert answer.headers[b"content-type"] == b"application/json"
        told = json.loads(answer.body)
        assert told["error"]
        assert told["code"]
        assert b"Traceback" not in answer.body
        assert b"memferry." not in answer.body


@pytest.fixture
def unharmed(service: Service, alice: Person) -> Iterator[None]:
    """Afterwards the same processes serve as before, and none has logged a fault of its own."""
    row = alice.save("still here")
    worker, logged = service.worker_pid(), service.log.stat().st_size
    yield
    assert service.process.poll() is None
    assert service.worker_pid() == worker
    assert alice.get(f"/api/memories/{row['id']}").json() == row
    assert b"Traceback" not in service.log.read_bytes()[logged:]


@pytest.mark.usefixtures("unharmed")
@pytest.mark.parametrize("target", TAKERS)
def test_no_body_is_a_fault_of_the_service(service: Service, alice: Person, target: str) -> None:
    row = alice.save("x")["id"]
    hook = alice.post("/api/webhooks", json={"url": "https://example.com"}).json()["id"]
    target = target.format(row=row, hook=hook)
    answers = {
        name: exchange(service, request(alice, target, body)) for name, body in BODIES.items()
    }

    for name, answer in answers.items():
        check(answer, name)


@pytest.mark.usefixtures("unharmed")
@pytest.mark.parametrize("path", PATHS, ids=range(len(PATHS)))
def test_no_address_is_a_fault_of_the_service(service: Service, alice: Person, path: str) -> None:
    for method in ("GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS"):
        answer = exchange(
            service, request(alice, f"{method} {path}", b"{}" if method != "HEAD" else b"")
        )
        if method != "HEAD":
            check(answer)
        assert answer.status is not None
        assert answer.status < 500
        assert b"x-injected" not in answer.headers


@pytest.mark.usefixtures("unharmed")
@pytest.mark.parametrize("name", HEADERS)
def test_no_header_is_a_fault_of_the_service(service: Service, alice: Person, name: str) -> None:
    for target in ("GET /api/memories", "POST /api/memories/exports", "GET /downloads/x"):
        answer = exchange(service, request(alice, target, b"{}", HEADERS[name]))
        check(answer)


@pytest.mark.usefixtures("unharmed")
@pytest.mark.parametrize("name", MESSAGES)
def test_no_message_is_a_fault_of_the_service(service: Service, alice: Person, name: str) -> None:
    message = MESSAGES[name].replace(b"%b", alice.token.encode())
    answer = exchange(service, message)

    check(answer)


@pytest.mark.usefixtures("unharmed")
def test_no_range_is_a_fault_of_the_service(service: Service, alice: Person) -> None:
    alice.save_many([{"content": f"memory {i}"} for i in range(10_001)])
    export = alice.wait_for(alice.export(format="ndjson"))
    path = urlsplit(export["download_url"]).path
    etag = f'"{export["sha256"]}"'.encode()
    answers = {
        each: exchange(
            service, request(alice, f"GET {path}", b"", b"Range: " + each.encode("latin-1"))
        )
        for each in RANGES
    }
    conditional = {
        condition: exchange(
            service,
            request(alice, f"GET {path}", b"", b"Range: bytes=0-0", b"If-Range: " + condition),
        ).status
        for condition in (etag, b"W/" + etag, b"*", b"", b"\xff", etag * 100, b"yesterday")
    }

    assert {each: answer.status for each, answer in answers.items()} == RANGES
    for answer in answers.values():
        check(answer)
    assert conditional.pop(etag) == 206
    assert set(conditional.values()) == {200}


@pytest.mark.usefixtures("unharmed")
@pytest.mark.parametrize("target", TAKERS)
def test_a_client_that_hangs_up_in_mid_body_leaves_no_trace(
    service: Service, alice: Person, target: str
) -> None:
    parts = urlsplit(service.url)
    message = request(alice, target.format(row="x", hook="x"), b"{}")
    for _ in range(5):
        with socket.create_connection((parts.hostname, parts.port)) as connection:
            connection.sendall(message.replace(b"Content-Length: 2", b"Content-Length: 3"))

    assert alice.get("/api/memories").status_code == 200
