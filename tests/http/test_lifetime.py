"""Nobody works on a request that nobody waits for, nor on one for longer than the limit says."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from support.people import Person, make_person
from support.postgres import create_database
from support.screens import sign_in
from support.service import Service, run_own_service
from support.sessions import open_session
from support.waiting import wait_until

# The sweeper of a worker may wait as well.
WAITING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE wait_event_type = 'Lock' AND application_name NOT LIKE 'memferry worker%'
"""
LOCK = "LOCK memferry.memories IN ACCESS EXCLUSIVE MODE"


@pytest.fixture(scope="module")
def url(database_url: str) -> Iterator[str]:
    with create_database(database_url) as url:
        yield url


@pytest.fixture(scope="module")
def hasty(url: str) -> Iterator[Service]:
    """A service whose requests may take two seconds, and its bulk saves twenty."""
    with run_own_service(MEMFERRY_DATABASE_URL=url, MEMFERRY_REQUEST_SECONDS="2") as running:
        yield running


@pytest.fixture
def alice(hasty: Service, url: str) -> Iterator[Person]:
    with make_person("alice", hasty, url) as person:
        yield person


def test_the_work_of_a_request_stops_when_its_client_hangs_up(
    alice: Person, hasty: Service, url: str
) -> None:
    host, _, port = hasty.url.removeprefix("http://").partition(":")
    head = f"GET /api/memories HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {alice.token}\r\n\r\n"
    wait_until(lambda: b"memferry listens" in hasty.log.read_bytes())
    logged = len(hasty.log.read_bytes())
    with open_session(url) as owner, open_session(url) as watcher:
        owner("BEGIN")
        owner(LOCK)
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(head.encode())
            wait_until(lambda: watcher(WAITING)[0][0] == 1)
        wait_until(lambda: watcher(WAITING)[0][0] == 0, seconds=1)
        owner("ROLLBACK")

    assert alice.get("/api/memories").status_code == 200
    assert hasty.log.read_bytes()[logged:] == b""


def test_a_request_over_the_time_limit_is_answered_503_and_its_work_stops(
    alice: Person, url: str
) -> None:
    with open_session(url) as owner, open_session(url) as watcher:
        owner("BEGIN")
        owner(LOCK)
        began = time.monotonic()
        answer = alice.get("/api/memories")
        waited = time.monotonic() - began
        wait_until(lambda: watcher(WAITING)[0][0] == 0, seconds=1)
        owner("ROLLBACK")

    assert (answer.status_code, answer.json()["code"]) == (503, "request_timed_out")
    assert int(answer.headers["retry-after"]) > 0
    assert answer.headers["access-control-allow-origin"] == "*"
    assert 1.5 < waited < 4


def test_a_screen_over_the_time_limit_is_no_json(alice: Person, url: str) -> None:
    cookie = sign_in(alice)
    headers = {"Accept": "text/html", "Cookie": f"{cookie['name']}={cookie['value']}"}
    with open_session(url) as owner:
        owner("BEGIN")
        owner(LOCK)
        answer = alice.get("/memories", headers=headers)
        owner("ROLLBACK")

    assert (answer.status_code, "request_timed_out" in answer.text) == (503, True)
    assert answer.headers["content-type"].startswith("text/html")
    assert int(answer.headers["retry-after"]) > 0


def test_the_time_limit_of_a_save_begins_after_its_body(alice: Person, url: str) -> None:
    with open_session(url) as owner:
        owner("BEGIN")
        owner(LOCK)
        answer = alice.post("/api/memories", json={"content": "x"})
        owner("ROLLBACK")

    assert (answer.status_code, answer.json()["code"]) == (503, "request_timed_out")
    assert alice.get("/api/memories").json() == []


def test_a_body_may_take_longer_than_the_limit_to_arrive(alice: Person, hasty: Service) -> None:
    host, _, port = hasty.url.removeprefix("http://").partition(":")
    body = b'{"content":"' + b"x" * 200_000 + b'"}'
    head = f"POST /api/memories HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n"
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(f"{head}Authorization: Bearer {alice.token}\r\n\r\n".encode())
        for start in range(0, len(body), 50_000):
            connection.sendall(body[start : start + 50_000])
            time.sleep(0.7)

        assert connection.recv(65536).startswith(b"HTTP/1.1 201 ")


def test_the_time_limit_of_a_bulk_save_is_ten_times_as_long(alice: Person, url: str) -> None:
    answers = []

    def save() -> None:
        answers.append(alice.post("/v1/memories/bulk", json={"items": [{"content": "x"}]}))

    with open_session(url) as owner:
        owner("BEGIN")
        owner(LOCK)
        saving = threading.Thread(target=save)
        saving.start()
        time.sleep(4)
        owner("ROLLBACK")
        saving.join()

    assert answers[0].json()["saved"] == 1


def test_an_answer_may_take_longer_than_the_limit_to_be_read(alice: Person, hasty: Service) -> None:
    for _ in range(20):
        alice.save("x" * 1_000_000)
    host, _, port = hasty.url.removeprefix("http://").partition(":")
    head = f"GET /api/memories HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {alice.token}\r\n"
    read = 0
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(head.encode() + b"Connection: close\r\n\r\n")
        while piece := connection.recv(256 * 1024):
            read += len(piece)
            time.sleep(0.05)

    assert read > 20_000_000
