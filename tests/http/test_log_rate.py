"""Nobody fills the log by asking for nonsense, and what is left out of it is counted."""

import asyncio
import logging
import re
import socket
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from memferry.errors import DatabaseUnavailable, StorageUnavailable
from memferry.log_rate import LogRate
from support.postgres import create_database, execute
from support.service import NO_TLS, Service, start_service, stop_service

_TIMES = 200


class Clock:
    """A time that only the test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log(clock: Clock) -> Callable[..., str | None]:
    """Logs one line; answers it as it stands in the log, or None if it was left out."""
    rate = LogRate(clock)

    def write(
        message: str,
        *values: object,
        name: str = "memferry.token.refused",
        level: int = logging.WARNING,
        raised: BaseException | None = None,
    ) -> str | None:
        exc_info = None if raised is None else (type(raised), raised, None)
        record = logging.LogRecord(name, level, "", 0, message, values, exc_info)
        return record.getMessage() if rate.filter(record) else None

    return write


def test_one_log_line_of_a_kind_passes_in_ten_seconds_and_the_next_counts_the_rest(
    clock: Clock, log: Callable[..., str | None]
) -> None:
    first = log("unknown token from %s", "10.0.0.1")
    others = {log("unknown token from %s", f"10.0.0.{number % 200}") for number in range(1234)}
    clock.now = 9.9
    late = log("unknown token from %s", "10.0.0.2")
    clock.now = 10
    second = log("unknown token from %s", "10.0.0.3")
    clock.now = 20
    third = log("unknown token from %s", "10.0.0.4")

    assert (first, others, late) == ("unknown token from 10.0.0.1", {None}, None)
    assert second == (
        "unknown token from 10.0.0.3 "
        "(1,235 more like it were left out in the 10 s after the last one)"
    )
    assert third == "unknown token from 10.0.0.4"


def test_log_lines_of_another_kind_pass(log: Callable[..., str | None]) -> None:
    assert log("%s", DatabaseUnavailable()) is not None
    assert log("%s", StorageUnavailable()) is not None
    assert log("Exception in ASGI application\n", raised=ValueError()) is not None
    assert log("Exception in ASGI application\n", raised=KeyError()) is not None
    assert log("Exception in ASGI application\n", name="uvicorn.error") is not None


def test_events_that_name_faults_of_different_kinds_are_both_kept(
    log: Callable[..., str | None],
) -> None:
    assert log("%(fault)s", {"fault": DatabaseUnavailable()}) is not None
    assert log("%(fault)s", {"fault": StorageUnavailable()}) is not None
    assert log("%(fault)s", {"fault": StorageUnavailable()}) is None


def test_a_log_line_without_a_template_is_known_by_its_first_line(
    log: Callable[..., str | None],
) -> None:
    assert log("Task exception was never retrieved\nfuture: <1>", name="asyncio") is not None
    assert log("Task exception was never retrieved\nfuture: <2>", name="asyncio") is None


@pytest.mark.parametrize(
    ("name", "level"),
    [
        ("memferry.token.refused", logging.INFO),
        ("memferry.worker", logging.WARNING),
        ("memferry.audit", logging.ERROR),
    ],
)
def test_log_lines_of_workers_and_of_the_audit_all_pass(
    log: Callable[..., str | None], name: str, level: int
) -> None:
    lines = [log("export %s failed", number, name=name, level=level) for number in range(3)]

    assert lines == ["export 0 failed", "export 1 failed", "export 2 failed"]


def test_the_log_rate_remembers_a_bounded_number_of_kinds(log: Callable[..., str | None]) -> None:
    for number in range(257):
        log(f"kind {number}")

    assert log("kind 256") is None
    assert log("kind 0") is not None


@pytest.fixture(scope="module")
def own(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service with a log and a database of its own."""
    with create_database(database_url) as url:
        running = start_service(
            tmp_path_factory.mktemp("own"), "--no-worker", MEMFERRY_DATABASE_URL=url
        )
        yield running
        assert stop_service(running) == 0


def send_raw(service: Service, message: bytes) -> None:
    parts = urlsplit(service.url)
    for _ in range(_TIMES):
        with socket.create_connection((parts.hostname, parts.port), timeout=5) as connection:
            connection.sendall(message)
            connection.recv(1)


def send_unknown_tokens(service: Service) -> None:
    headers = {"Authorization": "Bearer mnu_nobody"}
    with httpx.Client(base_url=service.url, headers=headers, verify=NO_TLS) as client:
        assert {client.get("/api/memories").status_code for _ in range(_TIMES)} == {401}


def send_no_http(service: Service) -> None:
    send_raw(service, b"this is not HTTP\r\n\r\n")


def ask_for_another_protocol(service: Service) -> None:
    send_raw(
        service,
        b"GET /health HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
    )


@pytest.mark.parametrize(
    ("flood", "least"),
    [(send_unknown_tokens, 1), (send_no_http, 0), (ask_for_another_protocol, 0)],
)
def test_a_flood_of_nonsense_leaves_a_few_lines(
    own: Service, flood: Callable[[Service], None], least: int
) -> None:
    before, began = len(own.log.read_text()), time.monotonic()
    flood(own)
    said = own.log.read_text()[before:]
    tens = (time.monotonic() - began) // 10

    assert least <= len(re.findall("WARNING|ERROR", said)) <= tens + 1
    assert "Traceback" not in said


def test_an_unreachable_database_is_one_log_line_for_many_requests(own: Service) -> None:
    url = own.environment["MEMFERRY_DATABASE_URL"]
    name = urlsplit(url).path.removeprefix("/")
    elsewhere = urlsplit(url)._replace(path="/postgres").geturl()
    before, began = len(own.log.read_text()), time.monotonic()
    asyncio.run(execute(elsewhere, f"DROP DATABASE {name} WITH (FORCE)"))
    try:
        with httpx.Client(base_url=own.url, verify=NO_TLS) as client:
            answers = {client.get("/downloads/x").status_code for _ in range(_TIMES)}
    finally:
        asyncio.run(execute(elsewhere, f"CREATE DATABASE {name}"))
    said = own.log.read_text()[before:]
    tens = (time.monotonic() - began) // 10

    assert answers == {503}
    assert "InvalidCatalogNameError" in said
    assert "Traceback" not in said
    assert 1 <= said.count("WARNING") <= tens + 1
