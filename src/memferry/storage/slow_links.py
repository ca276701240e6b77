"""An HTTP transport that limits the time in which nothing moves, not the time of a transfer."""

import socket
import ssl
from collections.abc import Iterable
from typing import Any

import httpcore
import httpx

# A slice that is not sent within the write timeout has stalled: 64 KiB in 30 s is 2.2 kB/s.
_SLICE_BYTES = 64 * 1024
# The send buffer of the kernel: no timeout sees the bytes in it, so it is kept small.
_BUFFER = (socket.SOL_SOCKET, socket.SO_SNDBUF, 512 * 1024)
_CONNECTIONS = 8


class _SlicedStream(httpcore.AsyncNetworkStream):
    """A network stream that writes in slices, each with the whole timeout."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - httpcore's signature
        """Pass on."""
        return await self._stream.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - httpcore's signature
        """Write the buffer slice by slice."""
        for start in range(0, len(buffer), _SLICE_BYTES):
            await self._stream.write(buffer[start : start + _SLICE_BYTES], timeout)

    async def aclose(self) -> None:
        """Pass on."""
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
    ) -> httpcore.AsyncNetworkStream:
        """The same over TLS."""
        return _SlicedStream(await self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        """Pass on."""
        return self._stream.get_extra_info(info)


class _SlicingBackend(httpcore.AsyncNetworkBackend):
    """The network backend of httpcore, with a small send buffer."""

    def __init__(self) -> None:
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect."""
        options = [*(socket_options or ()), _BUFFER]
        stream = await self._backend.connect_tcp(host, port, timeout, local_address, options)
        return _SlicedStream(stream)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self._backend.sleep(seconds)


class SlowLinkTransport(httpx.AsyncHTTPTransport):
    """The transport of httpx over connections that write in slices."""

    def __init__(self, trust: ssl.SSLContext) -> None:
        super().__init__(verify=trust)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=trust,
            max_connections=_CONNECTIONS,
            keepalive_expiry=30,
            network_backend=_SlicingBackend(),
        )
