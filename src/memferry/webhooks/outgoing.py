"""Requests to addresses that clients chose: each is resolved once, checked, and then connected."""

import asyncio
import socket
import ssl
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

import httpcore

from memferry.model.address import is_private
from memferry.settings import WebhookSettings

_TIMEOUTS = {"connect": 5.0, "read": 10.0, "write": 10.0, "pool": 10.0}
_TOTAL_SECONDS = 15.0


class AddressRefused(Exception):
    """The host has an address that is not public."""


class _PinnedBackend(httpcore.AsyncNetworkBackend):
    """A network backend that connects to the very address that it has checked.

    A second look-up could answer another address (DNS rebinding). TLS still verifies the name.
    """

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address of the host, if all of them are public."""
        infos = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = [str(info[4][0]) for info in infos]
        if not self._allow_private and any(is_private(address) for address in addresses):
            raise AddressRefused("the address is private")
        return await self._backend.connect_tcp(
            addresses[0], port, timeout, local_address, socket_options
        )

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self._backend.sleep(seconds)


class Sender:
    """Sends POST requests; follows no redirects and uses no proxy."""

    def __init__(self, settings: WebhookSettings = WebhookSettings()) -> None:
        self._allow_private = settings.allow_private
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=ssl.create_default_context(),
            max_connections=20,
            keepalive_expiry=10,
            network_backend=_PinnedBackend(allow_private=settings.allow_private),
        )

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """Send a body and answer the status; the body of the response is not read.

        Raises AddressRefused; and OSError, TimeoutError or an error of httpcore if no response
        comes.
        """
        if not self._allow_private and urlsplit(url).scheme != "https":
            raise AddressRefused("the address is not https")
        pairs: Any = [(name.encode(), value.encode()) for name, value in headers.items()]
        async with asyncio.timeout(_TOTAL_SECONDS):
            async with self._pool.stream(
                "POST", url, headers=pairs, content=body, extensions={"timeout": _TIMEOUTS}
            ) as answer:
                return answer.status

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.aclose()
