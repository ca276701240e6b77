"""Relays on loopback before PostgreSQL, and one whose two ends can be parted without a word."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit

_BLOCK_BYTES = 64 * 1024


async def connect_to(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A bare connection to the server of an address, by its Unix socket or over TCP."""
    parts = urlsplit(url)
    (host,) = parse_qs(parts.query).get("host", [parts.hostname or "localhost"])
    port = parts.port or 5432
    if host.startswith("/"):
        return await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
    return await asyncio.open_connection(host, port)


def find_address(server: asyncio.Server, url: str) -> str:
    """The address of the same database through a relay, which reads what passes."""
    port = server.sockets[0].getsockname()[1]
    who = urlsplit(url).netloc.rpartition("@")[0]
    return f"postgresql://{who}@127.0.0.1:{port}{urlsplit(url).path}?sslmode=disable"


class DatabaseRelay:
    """Passes bytes on both ways; while it is cut it takes them and passes none on."""

    def __init__(self, *urls: str) -> None:
        """`urls` are the addresses of the servers behind it, which connections lead to in turn."""
        self._url = urls[0]
        self._turns = itertools.cycle(urls)
        self._open = asyncio.Event()
        self._open.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """The address of the same database through the relay."""
        assert self._server is not None
        return find_address(self._server, self._url)

    def cut(self) -> None:
        """From now on nothing comes through, and nobody is told."""
        self._open.clear()

    def mend(self) -> None:
        """Let through what has waited, and what comes."""
        self._open.set()

    async def start(self) -> None:
        """Listen on a free port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)

    async def stop(self) -> None:
        """Hang up on everybody."""
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        while self._tasks:
            await asyncio.wait(self._tasks)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs, to_them = await connect_to(next(self._turns))
        for ends in ((reader, to_them), (theirs, writer)):
            task = asyncio.create_task(self._pass_on(*ends))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(_BLOCK_BYTES):
                await self._open.wait()
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.transport.abort()


@asynccontextmanager
async def run_database_relay(*urls: str) -> AsyncIterator[DatabaseRelay]:
    """A relay that listens."""
    relay = DatabaseRelay(*urls)
    await relay.start()
    try:
        yield relay
    finally:
        relay.mend()
        await relay.stop()
