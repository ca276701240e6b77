"""The two clients of one service: one for programs that wait, one for programs that await."""

from typing import Self, TypeVar

import httpx

from memferry.client.administration import (
    AsyncAuditClient,
    AsyncTokenClient,
    AsyncWebhookClient,
    AuditClient,
    TokenClient,
    WebhookClient,
)
from memferry.client.calls import RETRY_SECONDS, Call
from memferry.client.connection import TIMEOUT, AsyncServiceConnection, ServiceConnection
from memferry.client.exports import AsyncExportClient, ExportClient
from memferry.client.flows import send
from memferry.client.groups import (
    AsyncNamespaceClient,
    AsyncProjectClient,
    AsyncThreadClient,
    NamespaceClient,
    ProjectClient,
    ThreadClient,
)
from memferry.client.imports import AsyncImportClient, ImportClient
from memferry.client.memories import AsyncMemoryClient, MemoryClient
from memferry.client.methods import Asynchronous, Synchronous
from memferry.client.service import ServiceMethods

_T = TypeVar("_T")

URL = "http://127.0.0.1:3122"
"""Where `memferry serve` listens unless told otherwise."""


class Client(ServiceMethods, Synchronous):
    """One service, and the token of a tenant; a context manager that closes its connections.

    A call that may be repeated is sent again while the service is busy or away, for up to
    `retry_seconds`. Every error is a MemferryError: the one of the service, or a ClientError.

    >>> from memferry.client import Client
    >>> with Client(url, token) as client:
    ...     row = client.memories.save("Prefers short answers.", namespace="style")
    ...     [hit.content for hit in client.memories.search("answers", namespace="style")]
    ['Prefers short answers.']
    """

    def __init__(
        self,
        url: str = URL,
        token: str | None = None,
        *,
        timeout: httpx.Timeout | float = TIMEOUT,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        connection = ServiceConnection(url, token, httpx.Timeout(timeout), retry_seconds)
        super().__init__(connection)
        self.url = url
        self.memories = MemoryClient(connection)
        self.threads = ThreadClient(connection)
        self.namespaces = NamespaceClient(connection)
        self.projects = ProjectClient(connection)
        self.exports = ExportClient(connection)
        self.imports = ImportClient(connection)
        self.tokens = TokenClient(connection)
        self.webhooks = WebhookClient(connection)
        self.audit = AuditClient(connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_fault: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self.connection.close()

    def call(self, call: Call, answer_type: type[_T]) -> _T:
        """Send any call and answer its JSON; raises the error of the service.

        Raises ServiceUnreachable if it does not answer, at once if it never answered this client.

        >>> from memferry.client.calls import Call
        >>> client.call(Call("GET", "/api/health"), dict)
        {'ok': True}
        """
        return self.connection.run(send(call, answer_type))


class AsyncClient(ServiceMethods, Asynchronous):
    """The client whose methods are coroutines, and whose lists are asynchronous iterators.

    >>> import asyncio
    >>> from memferry.client import AsyncClient
    >>> async def list_texts():
    ...     async with AsyncClient(url, token) as client:
    ...         await client.memories.save("Likes jazz.", namespace="radio")
    ...         return [row.content async for row in client.memories.list(namespace="radio")]
    >>> asyncio.run(list_texts())
    ['Likes jazz.']
    """

    def __init__(
        self,
        url: str = URL,
        token: str | None = None,
        *,
        timeout: httpx.Timeout | float = TIMEOUT,
        retry_seconds: float = RETRY_SECONDS,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`transport` takes the requests to the service; unless given, they go over the network."""
        connection = AsyncServiceConnection(
            url, token, httpx.Timeout(timeout), retry_seconds, transport
        )
        super().__init__(connection)
        self.url = url
        self.memories = AsyncMemoryClient(connection)
        self.threads = AsyncThreadClient(connection)
        self.namespaces = AsyncNamespaceClient(connection)
        self.projects = AsyncProjectClient(connection)
        self.exports = AsyncExportClient(connection)
        self.imports = AsyncImportClient(connection)
        self.tokens = AsyncTokenClient(connection)
        self.webhooks = AsyncWebhookClient(connection)
        self.audit = AsyncAuditClient(connection)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_fault: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        await self.connection.close()

    async def call(self, call: Call, answer_type: type[_T]) -> _T:
        """Send any call and answer its JSON; raises as `Client.call`."""
        return await self.connection.run(send(call, answer_type))
