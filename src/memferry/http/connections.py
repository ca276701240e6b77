"""One HTTP/1.1 connection, with limits on its memory and on the slowness of its client.

h11 parses it and keeps one head at most; uvicorn reads no further while an answer is made. What
neither of them limits is limited here.
"""

import fcntl
import struct
import sys
import termios
from asyncio import BaseTransport, Transport
from collections.abc import Callable
from enum import Enum, auto
from http import HTTPStatus
from typing import Any, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from memferry.errors import HeadTooLarge, Invalid, MemferryError
from memferry.http.errors import ErrorAnswer

HEAD_BYTES = 128 * 1024
"""A query of 10,000 characters fits, each of them percent-encoded from four bytes of UTF-8."""
HEADERS = 100
IDLE_SECONDS = 75
"""Longer than the minute that load balancers keep connections for."""
_HEAD_SECONDS = 20.0
# The least that the other end must send of a body, or take of an answer: 1 KiB a second.
_PACE_SECONDS, _PACE_BYTES = 20.0, 20 * 1024


# So many chunks may be small, the others have that many bytes on average.
_TINY_CHUNKS, _CHUNK_BYTES = 1000, 64

TASK = "memferry.task"
"""Where the scope of a request names its task, if that ends with the connection."""


class WaitsFor(Enum):
    """Who must act next on a connection."""

    REQUEST = auto()
    """The client, which owes nothing."""
    HEAD = auto()
    """The client, which has begun a request."""
    BODY = auto()
    """The client, whose body is read as it comes."""
    READER = auto()
    """The client, which has an answer to read."""
    ANSWER = auto()
    """Us."""


class Connection(H11Protocol):
    """Answers invalid HTTP in the shape of our errors, and hangs up on slow clients."""

    def __init__(self, *args: Any, on_made: "Callable[[Connection], None]", **kwargs: Any) -> None:
        """`on_made` is called with each new connection."""
        super().__init__(*args, **kwargs)
        self.conn = _Parser(h11.SERVER, HEAD_BYTES)
        self._on_made = on_made
        self._received = 0
        self._stage: tuple[WaitsFor, object] = (WaitsFor.REQUEST, None)
        self.since = self.loop.time()
        """Since when it waits for the same, or for more of it than has come or gone since."""
        self._moved = 0

    def connection_made(self, transport: BaseTransport) -> None:
        """Begin to watch the connection."""
        super().connection_made(cast("Transport", _Counted(transport)))
        self._on_made(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the work of a lost connection."""
        unanswered = self.cycle is not None and not self.cycle.response_complete
        super().connection_lost(exc)
        if unanswered and (task := cast("dict[str, Any]", self.scope).pop(TASK, None)) is not None:
            task.cancel()

    def data_received(self, data: bytes) -> None:
        """Parse the data; cuts a connection that sends too much ahead of its answers."""
        self._received += len(data)
        super().data_received(data)
        if (
            self.conn.their_state is h11.DONE
            and len(data) > HEAD_BYTES
            and len(self.conn.trailing_data[0]) > HEAD_BYTES
        ):
            self.transport.abort()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's signature
        """Answer with the fault if no answer has begun, and hang up."""
        fault = sys.exception()
        hint = getattr(fault, "error_status_hint", HTTPStatus.BAD_REQUEST)
        if hint == HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE:
            self.refuse(HeadTooLarge(HEAD_BYTES, HEADERS))
        else:
            self.refuse(Invalid("request", "is not valid HTTP"))

    def refuse(self, fault: MemferryError) -> None:
        """Answer with an error, unless another answer has begun, and hang up."""
        if self.conn.our_state not in {h11.IDLE, h11.SEND_RESPONSE}:
            self.transport.abort()
            return
        answer = ErrorAnswer(fault)
        headers = [*answer.raw_headers, (b"connection", b"close")]
        for event in (
            h11.Response(
                status_code=answer.status_code,
                headers=headers,
                reason=HTTPStatus(answer.status_code).phrase.encode(),
            ),
            h11.Data(data=bytes(answer.body)),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _unsupported_upgrade_warning(self) -> None:
        """Ignore an upgrade that is not offered (RFC 9110, section 7.8), without a line of log."""

    def waits_for(self) -> WaitsFor:
        """Who must act next."""
        if self.transport.get_write_buffer_size() > 0:
            return WaitsFor.READER
        if self.cycle is None or self.cycle.response_complete:
            begun = self.conn.their_state is h11.IDLE and self.conn.trailing_data[0]
            return WaitsFor.HEAD if begun else WaitsFor.REQUEST
        reading = self.cycle.more_body and not self.flow.read_paused
        if reading and not self.cycle.waiting_for_100_continue:
            return WaitsFor.BODY
        return WaitsFor.ANSWER

    def look(self, now: float) -> None:
        """Hang up if the client has been too slow; called about once a second."""
        stage, moved = (self.waits_for(), self.cycle), self._count_moved()
        if stage != self._stage or moved - self._moved >= _PACE_BYTES:
            self._stage, self._moved, self.since = stage, moved, now
        elif now - self.since > _LONGEST[stage[0]]:
            self.transport.abort()

    def _count_moved(self) -> int:
        """Count the bytes that the client has sent or acknowledged."""
        return self._received + cast("_Counted", self.transport).count_taken()


class _Parser(h11.Connection):
    """h11, which takes about 15 µs for a chunk (RFC 9112, section 7.1), however small it is."""

    _chunks = _bytes = 0

    def next_event(self) -> Any:
        """Parse the next event; raises RemoteProtocolError for a body in very many tiny chunks."""
        event = super().next_event()
        if isinstance(event, h11.Request):
            self._chunks = self._bytes = 0
        elif isinstance(event, h11.Data):
            self._chunks += event.chunk_end
            self._bytes += len(event.data)
            if self._chunks > _TINY_CHUNKS + self._bytes // _CHUNK_BYTES:
                raise h11.RemoteProtocolError("the chunks of the body are too small")
        return event


_LONGEST = {
    WaitsFor.REQUEST: IDLE_SECONDS,
    WaitsFor.HEAD: _HEAD_SECONDS,
    WaitsFor.BODY: _PACE_SECONDS,
    WaitsFor.READER: _PACE_SECONDS,
    # The service bounds its own work.
    WaitsFor.ANSWER: float("inf"),
}


class _Counted:
    """A transport that counts how many written bytes the client has acknowledged."""

    def __init__(self, transport: BaseTransport) -> None:
        self._transport = cast("Transport", transport)
        self._written = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Write data, and count its bytes."""
        self._written += len(data)
        self._transport.write(data)

    def count_taken(self) -> int:
        """Count the bytes that the client has acknowledged (tcp(7), SIOCOUTQ)."""
        socket = self._transport.get_extra_info("socket")
        if socket is None or self._transport.is_closing():
            return self._written - self._transport.get_write_buffer_size()
        try:
            (queued,) = struct.unpack("i", fcntl.ioctl(socket, termios.TIOCOUTQ, bytes(4)))
        except OSError:
            queued = 0  # it was cut off a moment ago
        return self._written - self._transport.get_write_buffer_size() - int(queued)
