"""One connection keeps little in memory, and lasts no longer than its other end is at work."""

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from memferry.http import connections
from memferry.http.connections import HEAD_BYTES, HEADERS, WaitsFor
from memferry.http.server import Server
from support.service import Service

_GET = b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n"
MIB = 1024 * 1024
Connect = Callable[[], socket.socket]


class Application:
    """Reads what it is sent, and answers with as many MiB as the query names."""

    def __init__(self) -> None:
        self.bodies: list[int] = []
        self.hung_up = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            self.bodies.append(len(await request.body()))
        except ClientDisconnect:
            self.hung_up.set()
            return
        await asyncio.to_thread(self.go_on.wait)
        size = int(request.url.query or 0)
        answer = StreamingResponse(self._blocks(size)) if size else Response(b"fine")
        try:
            await answer(scope, receive, send)
        finally:
            self.hung_up.set()

    async def _blocks(self, mib: int) -> AsyncIterator[bytes]:
        for _ in range(16 * mib):
            yield bytes(64 * 1024)


@pytest.fixture
def application() -> Application:
    return Application()


@contextmanager
def _served(application: Application, connections: int = 100) -> Iterator[Connect]:
    server = Server(application, connections=connections)
    listening = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listening])))
    thread.start()
    try:
        yield lambda: socket.create_connection(listening.getsockname(), timeout=15)
    finally:
        application.go_on.set()
        server.should_exit = server.force_exit = True
        thread.join()


@pytest.fixture
def connect(application: Application) -> Iterator[Connect]:
    with _served(application) as connect:
        yield connect


@pytest.fixture
def short_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two seconds in the place of each limit but for that of the service's own work."""
    short = dict.fromkeys(WaitsFor, 2.0) | {WaitsFor.ANSWER: float("inf")}
    monkeypatch.setattr(connections, "_LONGEST", short)


def _read(connection: socket.socket) -> bytes:
    """Everything until the other end hangs up, however it does that."""
    answer = bytearray()
    try:
        while piece := connection.recv(65536):
            answer += piece
    except ConnectionResetError:
        pass
    return bytes(answer)


def _send_until_cut(connection: socket.socket, piece: bytes, most: int) -> int:
    """How many bytes the other end took before it hung up; TimeoutError if it only stalls."""
    sent = 0
    with suppress(ConnectionError):
        while sent < most:
            connection.sendall(piece)
            sent += len(piece)
    return sent


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nHost: a\r\n" + b"a:\r\n" * 200,
        b"GET /" + b"a" * HEAD_BYTES + b" HTTP/1.1\r\nHost: a\r\n",
    ],
    ids=["headers", "address"],
)
def test_a_head_that_is_too_large_is_refused_and_the_connection_closed(
    service: Service, head: bytes
) -> None:
    with _connected(service) as connection:
        connection.sendall(head + b"\r\n")
        answer = _read(connection)

    assert answer.startswith(b"HTTP/1.1 431 ")
    assert b'"code":"head_too_large"' in answer


def test_a_head_that_never_ends_is_cut_off_early(service: Service) -> None:
    with _connected(service) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n")
        sent = _send_until_cut(connection, b"a:\r\n" * 16384, 64 * MIB)

    assert sent < 16 * MIB


def test_a_request_with_many_headers_is_accepted(service: Service) -> None:
    with _connected(service) as connection:
        connection.sendall(
            b"GET /health HTTP/1.1\r\nHost: a\r\n" + b"x-a: 1\r\n" * (HEADERS - 1) + b"\r\n"
        )

        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("hosts", [b"", b"Host: a\r\nHost: a\r\n", b"Host: a\r\nHost: b\r\n"])
def test_a_request_without_one_host_is_refused(service: Service, hosts: bytes) -> None:
    with _connected(service) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\n" + hosts + b"\r\n")

        assert _read(connection).startswith(b"HTTP/1.1 400 ")


def test_a_request_with_two_lengths_or_two_kinds_of_length_is_refused(
    service: Service,
) -> None:
    head = b"POST /api/memories HTTP/1.1\r\nHost: a\r\n"
    smuggled = b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n"
    for lengths in (
        b"Content-Length: 4\r\nContent-Length: 5\r\n",
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: gzip, chunked\r\n",
        b"Content-Length: +4\r\n",
    ):
        with _connected(service) as connection:
            connection.sendall(head + lengths + b"\r\n0\r\n\r\n" + smuggled)
            answer = _read(connection)

        assert answer.startswith(b"HTTP/1.1 400 "), lengths
        assert b'{"ok":true}' not in answer, lengths


@pytest.mark.parametrize("path", ["/health", "/api/memories"])
def test_a_body_in_tiny_chunks_is_refused_before_it_takes_long(service: Service, path: str) -> None:
    with _connected(service) as connection:
        connection.sendall(
            f"POST {path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        )
        sent = _send_until_cut(connection, b"1\r\na\r\n" * 10_000, 8 * MIB)

    assert sent < 4 * MIB


def test_a_body_in_many_chunks_is_accepted(application: Application, connect: Connect) -> None:
    with connect() as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        connection.sendall(
            b"1\r\na\r\n" * 900 + b"40\r\n%b\r\n" % (b"x" * 64) * 5000 + b"0\r\n\r\n"
        )

        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
    assert application.bodies == [900 + 64 * 5000]


def test_a_few_pipelined_requests_are_answered(application: Application, connect: Connect) -> None:
    application.go_on.clear()
    with connect() as connection:
        connection.sendall(_GET * 10)
        time.sleep(0.2)
        application.go_on.set()
        answer = b""
        while answer.count(b"fine") < 10:
            answer += connection.recv(65536)

    assert answer.count(b"HTTP/1.1 200 ") == 10


def test_a_flood_of_pipelined_requests_is_cut_off(
    application: Application, connect: Connect
) -> None:
    # Reading is paused until the first answer, while the flood fills the buffers of the kernel.
    application.go_on.clear()
    with connect() as connection:
        threading.Timer(0.5, application.go_on.set).start()
        sent = _send_until_cut(connection, _GET * 10_000, 64 * MIB)

    assert sent < 16 * MIB


@pytest.mark.usefixtures("short_limits")
@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\nHos"], ids=["nothing", "half a head"])
def test_a_connection_that_sends_no_request_is_closed(connect: Connect, begun: bytes) -> None:
    with connect() as connection:
        connection.sendall(begun)

        assert _read(connection) == b""


@pytest.mark.usefixtures("short_limits")
def test_a_connection_whose_head_comes_byte_by_byte_is_closed(connect: Connect) -> None:
    with connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nx: ")
        for _ in range(100):
            if _send_until_cut(connection, b"x", 1) == 0:
                break
            time.sleep(0.08)
        else:
            pytest.fail("it was kept for 8 seconds")


@pytest.mark.usefixtures("short_limits")
def test_a_connection_whose_body_stalls_is_closed(
    application: Application, connect: Connect
) -> None:
    with connect() as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999\r\n\r\nsome")

        assert application.hung_up.wait(8)


@pytest.mark.usefixtures("short_limits")
def test_a_slow_body_is_accepted_while_it_moves(application: Application, connect: Connect) -> None:
    pieces = 12
    with connect() as connection:
        connection.sendall(
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (pieces * 20480)
        )
        for _ in range(pieces):
            connection.sendall(bytes(20480))
            time.sleep(0.5)

        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
    assert application.bodies == [pieces * 20480]


@pytest.mark.usefixtures("short_limits")
def test_a_connection_whose_client_does_not_read_is_closed(
    application: Application, connect: Connect
) -> None:
    with connect() as connection:
        connection.sendall(b"GET /?100 HTTP/1.1\r\nHost: a\r\n\r\n")

        assert application.hung_up.wait(10)
        assert len(_read(connection)) < 100 * MIB


@pytest.mark.usefixtures("short_limits")
def test_a_client_that_reads_slowly_gets_the_whole_answer(connect: Connect) -> None:
    with connect() as connection:
        connection.sendall(b"GET /?20 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        read = 0
        while piece := connection.recv(256 * 1024):
            read += len(piece)
            time.sleep(0.05)

    assert read > 20 * MIB


@pytest.mark.usefixtures("short_limits")
def test_a_connection_stays_open_while_the_service_works_on_its_request(
    application: Application, connect: Connect
) -> None:
    application.go_on.clear()
    with connect() as connection:
        connection.sendall(_GET)
        time.sleep(4)
        application.go_on.set()

        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_an_idle_connection_makes_room_for_a_new_one(application: Application) -> None:
    with _served(application, connections=3) as connect:
        idle = [connect() for _ in range(3)]
        time.sleep(0.2)
        with connect() as connection:
            connection.sendall(_GET)

            assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        assert _read(idle[0]) == b""
        for each in idle:
            each.close()


def test_a_connection_that_sends_its_head_makes_room_for_a_new_one(
    application: Application,
) -> None:
    with _served(application, connections=3) as connect:
        sending = [connect() for _ in range(3)]
        for connection in sending:
            connection.sendall(b"GET / HTTP/1.1\r\n")
        time.sleep(0.2)
        with connect() as connection:
            connection.sendall(_GET)

            assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        assert _read(sending[0]) == b""
        for connection in sending:
            connection.close()


def test_a_new_connection_is_closed_where_all_others_are_at_work(application: Application) -> None:
    application.go_on.clear()
    with _served(application, connections=3) as connect:
        busy = [connect() for _ in range(3)]
        for each in busy:
            each.sendall(_GET)
        time.sleep(0.2)
        with connect() as connection:
            assert _read(connection) == b""
        application.go_on.set()
        for each in busy:
            assert each.recv(65536).startswith(b"HTTP/1.1 200 ")
            each.close()


def _connected(service: Service) -> socket.socket:
    host, _, port = service.url.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), timeout=15)
