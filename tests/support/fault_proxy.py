"""An HTTP proxy on loopback before an S3 server that fails on command, in the ways networks do."""

import http.client
import socket
import struct
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree as ET

Kind = Literal["refuse", "silent", "answer", "slow", "cut", "lose", "flip"]
_BLOCK_BYTES = 64 * 1024
_XML = "http://s3.amazonaws.com/doc/2006-03-01/"
_RESET = struct.pack("ii", 1, 0)
_NAMES = {
    ("POST", "uploads"): "CreateMultipartUpload",
    ("GET", "uploads"): "ListMultipartUploads",
    ("PUT", "uploadId"): "UploadPart",
    ("POST", "uploadId"): "CompleteMultipartUpload",
    ("DELETE", "uploadId"): "AbortMultipartUpload",
    ("GET", "list-type"): "ListObjects",
}


@dataclass(frozen=True)
class Fault:
    """What goes wrong, and for which requests: every n-th of those with one of the names.

    `refuse` closes the port and every connection; `silent` never answers, and hangs up once healed;
    `answer` says `status`; `slow` lets `rate` bytes per second through; `cut` resets the connection
    in the middle of the request; `lose` lets the store do its work and resets the connection in the
    middle of the answer; `flip` turns one bit of the byte at `at` (modulo the length) of the body,
    on its way in.
    """

    kind: Kind
    names: frozenset[str] = frozenset()
    """Empty: every request."""
    every: int = 1
    times: int | None = None
    """Heals by itself after that many; None: lasts."""
    after: tuple[str, int] | None = None
    """Begins with the n-th request of that name from now on; None: at once."""
    status: int = 503
    rate: int = 1024 * 1024
    at: int = 0


class FaultProxy:
    """Passes requests on to `upstream`, Host header unchanged, but for the one fault it is told."""

    def __init__(self, upstream: str) -> None:
        self.upstream = urlsplit(upstream).netloc
        self.page_size: int | None = None
        """List in pages of that many; of uploads moto knows one page only."""
        self.seen: Counter[str] = Counter()
        """How often which operation was asked for; "" counts them all."""
        self.struck = 0
        """How many requests the present fault, or the last one, has hit."""
        self.connections: set[socket.socket] = set()
        self.healed = threading.Event()
        self._news = threading.Condition(threading.RLock())
        self._fault: Fault | None = None
        self._before: Counter[str] = Counter()
        self._server: _Server | None = None
        self._port = 0
        self._open()
        self.url = f"http://127.0.0.1:{self._port}"

    def inject(self, fault: Fault) -> None:
        """Fail like this from now on."""
        with self._news:
            self.heal()
            self.healed = threading.Event()
            self._fault, self._before, self.struck = fault, self.seen.copy(), 0
        if fault.kind == "refuse" and fault.after is None:
            self._close()

    def heal(self) -> None:
        """Pass everything on again."""
        with self._news:
            self._fault = None
            self.healed.set()
            self._open()

    def close(self) -> None:
        """Let go of everything."""
        self.healed.set()
        self._close()

    def wait(self, name: str, count: int, seconds: float = 20) -> None:
        """Return once that many requests of that name have come since the last fault was told."""
        with self._news:
            enough = self._before[name] + count
            assert self._news.wait_for(lambda: self.seen[name] >= enough, seconds), self.seen

    def wait_struck(self, count: int = 1, seconds: float = 20) -> None:
        """Return once the fault has hit that many requests."""
        with self._news:
            assert self._news.wait_for(lambda: self.struck >= count, seconds), self.struck

    def meet(self, name: str) -> Fault | None:
        """Count a request; the fault that hits it, if any."""
        with self._news:
            self.seen[name] += 1
            self.seen[""] += 1
            self._news.notify_all()
            fault = self._fault
            if fault is None or not self._hits(fault, name):
                return None
            self.struck += 1
            if self.struck == fault.times:
                self._fault = None
        if fault.kind == "refuse":
            self._close()
        return fault

    def _hits(self, fault: Fault, name: str) -> bool:
        since = self.seen - self._before
        if fault.after is not None and since[fault.after[0]] < fault.after[1]:
            return False
        if fault.names and name not in fault.names:
            return False
        return sum(since[each] for each in fault.names or [""]) % fault.every == 0

    def _open(self) -> None:
        if self._server is None:
            self._server = _Server(self, self._port)
            self._port = self._server.server_address[1]
            threading.Thread(target=self._server.serve_forever, args=[0.01], daemon=True).start()

    def _close(self) -> None:
        with self._news:
            server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()
            for each in list(self.connections):
                reset(each)


class _Server(ThreadingHTTPServer):
    request_queue_size = 128

    def __init__(self, proxy: FaultProxy, port: int) -> None:
        self.proxy = proxy
        super().__init__(("127.0.0.1", port), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that breaks is what this is for."""


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.proxy.connections.add(self.connection)

    def finish(self) -> None:
        self.server.proxy.connections.discard(self.connection)
        with suppress(OSError):
            super().finish()

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def handle_expect_100(self) -> bool:
        return True

    def do_GET(self) -> None:
        name = name_operation(self.command, self.path)
        fault = self.server.proxy.meet(name)
        if fault is not None and fault.kind in ("refuse", "silent", "cut"):
            self._hang_up(fault)
            return
        rate = fault.rate if fault is not None and fault.kind == "slow" else None
        body = self._body(rate)
        if fault is not None and fault.kind == "answer":
            self._answer(fault.status, {}, b"")
            return
        if fault is not None and fault.kind == "flip":
            body[fault.at % len(body)] ^= 1
        status, headers, answer = self._pass_on(name, bytes(body))
        if fault is not None and fault.kind == "lose":
            if answer:
                self._answer(
                    status, {"Content-Length": str(len(answer))}, answer[: len(answer) // 2]
                )
            self.close_connection = True
            reset(self.connection)
            return
        self._answer(status, headers, answer, rate)

    do_HEAD = do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815 - see above

    def _hang_up(self, fault: Fault) -> None:
        self.close_connection = True
        if fault.kind == "silent":
            self.server.proxy.healed.wait()
        self.rfile.read(int(self.headers.get("Content-Length", 0)) // 2)
        reset(self.connection)

    def _body(self, rate: int | None) -> bytearray:
        body, size = bytearray(), int(self.headers.get("Content-Length", 0))
        while len(body) < size:
            block = self.rfile.read(min(_BLOCK_BYTES, size - len(body)))
            if not block:
                raise ConnectionError
            body += block
            self._linger(len(block), rate)
        return body

    def _linger(self, size: int, rate: int | None) -> None:
        if rate is not None:
            self.server.proxy.healed.wait(size / rate)

    def _pass_on(self, name: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        upstream = http.client.HTTPConnection(self.server.proxy.upstream, timeout=30)
        path, size = self.path, self.server.proxy.page_size
        if name == "ListObjects" and size is not None:
            path += f"&max-keys={size}"
        try:
            headers = dict(self.headers.items()) | {"Connection": "close"}
            upstream.request(self.command, path, body, headers)
            answer = upstream.getresponse()
            content = answer.read()
        finally:
            upstream.close()
        if name == "ListMultipartUploads" and size is not None:
            content = cut_page(content, urlsplit(self.path).query, size)
        kept = {key: value for key, value in answer.getheaders() if key not in _OURS}
        if self.command == "HEAD":
            kept["Content-Length"] = answer.headers.get("Content-Length", "0")
        return answer.status, kept, content

    def _answer(
        self, status: int, headers: dict[str, str], body: bytes, rate: int | None = None
    ) -> None:
        self.send_response_only(status)
        for key, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(key, value)
        self.end_headers()
        for start in range(0, len(body), _BLOCK_BYTES):
            block = body[start : start + _BLOCK_BYTES]
            self.wfile.write(block)
            self._linger(len(block), rate)


_OURS = frozenset({"Content-Length", "Connection", "Transfer-Encoding"})


def name_operation(method: str, path: str) -> str:
    """What S3 calls a request; GET, HEAD, PUT or DELETE for one of a whole object."""
    query = parse_qs(urlsplit(path).query, keep_blank_values=True)
    asked = [name for (verb, key), name in _NAMES.items() if verb == method and key in query]
    return asked[0] if asked else method


def cut_page(listing: bytes, query: str, size: int) -> bytes:
    """The part of a whole ListMultipartUploads answer that a page after the query's markers has."""
    page = ET.fromstring(listing)  # noqa: S314 - moto's
    given = {key: values[0] for key, values in parse_qs(query).items()}
    marker = given.get("key-marker", ""), given.get("upload-id-marker", "")
    uploads = {_place(each): each for each in page.findall(f"{{{_XML}}}Upload")}
    after = sorted(place for place in uploads if place > marker)
    for place, each in uploads.items():
        if place not in after[:size]:
            page.remove(each)
    _say(page, "IsTruncated", "true" if len(after) > size else "false")
    if len(after) > size:
        _say(page, "NextKeyMarker", after[size - 1][0])
        _say(page, "NextUploadIdMarker", after[size - 1][1])
    text: bytes = ET.tostring(page, xml_declaration=True, encoding="UTF-8")
    return text


def _place(upload: ET.Element) -> tuple[str, str]:
    return upload.findtext("{*}Key", ""), upload.findtext("{*}UploadId", "")


def _say(page: ET.Element, name: str, value: str) -> None:
    found = page.find(f"{{{_XML}}}{name}")
    (ET.SubElement(page, f"{{{_XML}}}{name}") if found is None else found).text = value


def reset(connection: socket.socket) -> None:
    """Break a connection as a crash does, without a farewell."""
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def run_fault_proxy(upstream: str) -> Iterator[FaultProxy]:
    """A proxy for the length of a block."""
    proxy = FaultProxy(upstream)
    try:
        yield proxy
    finally:
        proxy.close()
