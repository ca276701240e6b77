"""`memferry serve`: embedded PostgreSQL, the API and one worker process, watched over together."""

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext, suppress
from ipaddress import ip_address
from typing import Any

from memferry.app import open_database, open_web_app
from memferry.database.embedded import EmbeddedPostgres
from memferry.database.servers import embedded_postgres, owner_url, prepare_database
from memferry.errors import MemferryError, Misconfigured, Unavailable
from memferry.http.server import Server
from memferry.model.token import SCOPES, Grant
from memferry.operation.readiness import describe_workers
from memferry.operation.workers import MISSING_SECONDS, Workers
from memferry.settings import Settings
from memferry.tenants.operator import Operator
from memferry.tenants.tokens import BearerToken
from memferry.worker_process import Stop

_log = logging.getLogger("memferry")
_WATCH_SECONDS = 0.5
_RESTART_SECONDS = 1.0
_LONGEST_RESTART_SECONDS = 30.0
_LAST_SECONDS = 5
_FIRST_TENANT = "default"
_NOBODY_HAS_ONE = (
    "not listening on {host}, which other machines reach, while nobody has a token; make one with: "
    "memferry token create --tenant NAME (or set MEMFERRY_ALLOW_PUBLIC=true, and find the first "
    "token in the log)"
)

Started = Callable[[BearerToken | None], None]


async def serve(
    settings: Settings, host: str, port: int, started: Started, *, with_worker: bool = True
) -> None:
    """Run everything until SIGTERM or Ctrl-C, then stop it in order; leaves no process behind.

    The signal again means: hurry. Without a worker of its own, others must be at work elsewhere.

    Calls `started` once the API accepts connections, with the first token if this is the first
    start. Raises Misconfigured when the port or the data directory is taken, and when other
    machines could reach a service that has no token.
    """
    listening = _listen(host, port)
    _refuse_public_local_tenant(settings, listening)
    stop = Stop()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.ask)
    async with _database(settings) as watch_database:
        await prepare_database(settings.database)
        token = await _first_token(settings, listening)
        keep_worker = _worker(settings, stop) if with_worker else nullcontext()
        async with open_web_app(settings) as app, keep_worker, _watched_workers(settings):
            server = Server(app, connections=settings.web.connections)
            watching = asyncio.create_task(watch_database())
            serving = asyncio.create_task(server.serve(sockets=[listening]))
            with suppress(asyncio.CancelledError):
                await server.ready(serving)
                started(token)
                await asyncio.wait(
                    [serving, asyncio.create_task(stop.asked.wait())],
                    return_when=asyncio.FIRST_COMPLETED,
                )
            stop.asked.set()
            server.should_exit = True
            await asyncio.wait(
                [serving, asyncio.create_task(stop.hurry.wait())],
                return_when=asyncio.FIRST_COMPLETED,
            )
            server.force_exit = not serving.done()
            await serving
            watching.cancel()


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=1024)
    except OSError as fault:
        raise Misconfigured(f"cannot listen on {host} port {port}: {fault.strerror}") from fault


def _refuse_public_local_tenant(settings: Settings, listening: socket.socket) -> None:
    host = listening.getsockname()[0]
    if settings.web.local_tenant is not None and not ip_address(host).is_loopback:
        listening.close()
        raise Misconfigured(
            f"not listening on {host}, which other machines reach, while MEMFERRY_LOCAL_TENANT "
            "lets programs of this machine in without a token; unset it, or listen on 127.0.0.1"
        )


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[Callable[[], Any]]:
    """The embedded server, owned by this process; nothing to do for an external one."""
    if settings.database.url is not None:
        yield _nothing
        return
    embedded = embedded_postgres(settings.database)
    await asyncio.to_thread(embedded.start)
    try:
        yield lambda: _keep_running(embedded)
    finally:
        await asyncio.to_thread(embedded.stop)


async def _nothing() -> None:
    """An external database is watched by its operator."""


async def _keep_running(embedded: EmbeddedPostgres) -> None:
    """Start PostgreSQL again whenever it has died."""
    while True:
        await asyncio.sleep(_WATCH_SECONDS)
        if embedded.process is not None and embedded.process.poll() is None:
            continue
        _log.warning("PostgreSQL has died; starting it again")
        try:
            await asyncio.to_thread(embedded.start)
        except MemferryError as fault:
            _log.error("PostgreSQL does not start: %s", fault)


async def _first_token(settings: Settings, listening: socket.socket) -> BearerToken | None:
    """A token for the very first start that may do everything, also make others.

    Not where other machines can connect: a service is set up before they see it, by somebody who
    keeps its token, and no token stands in a log by default.
    """
    operator = Operator(owner_url(settings.database))
    tokens = await operator.list_tokens()
    host = listening.getsockname()[0]
    public = not ip_address(host).is_loopback and not settings.web.allow_public
    if public and all(each["revoked_at"] is not None for each in tokens):
        listening.close()
        raise Misconfigured(_NOBODY_HAS_ONE.format(host=host))
    if tokens:
        return None
    return await operator.create_token(_FIRST_TENANT, "first start", Grant(scopes=SCOPES))


@asynccontextmanager
async def _watched_workers(settings: Settings) -> AsyncIterator[None]:
    """Say in the log when no worker does its work, and when one does again."""
    watching = asyncio.create_task(_watch_workers(settings))
    try:
        yield
    finally:
        watching.cancel()


async def _watch_workers(settings: Settings) -> None:
    said: str | None = None
    async with open_database(settings) as database:
        workers = Workers(database)
        while True:
            await asyncio.sleep(MISSING_SECONDS)
            try:
                fault = describe_workers(await workers.all())
            except Unavailable:
                continue
            if fault is not None and fault != said:
                _log.warning("no worker does its work: %s; memferry doctor tells more", fault)
            elif fault is None and said is not None:
                _log.info("a worker does its work again")
            said = fault


@asynccontextmanager
async def _worker(settings: Settings, stop: Stop) -> AsyncIterator[None]:
    """A worker process that is started again when it dies, and stops when we are asked to."""
    keeper = asyncio.create_task(_keep_worker(settings, stop))
    try:
        yield
    finally:
        stop.asked.set()
        await asyncio.wait([keeper])


async def _keep_worker(settings: Settings, stop: Stop) -> None:
    pause = _RESTART_SECONDS
    while not stop.asked.is_set():
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "memferry", "worker", "--supervised"),
            stdin=asyncio.subprocess.PIPE,
            env=settings.child_environment(),
            # Ctrl-C goes to the whole foreground group; the worker is asked in its turn.
            start_new_session=True,
        )
        await _ended_or(process, stop.asked)
        if process.returncode is None:
            await _end(process, stop, settings.worker.grace_seconds)
        elif not stop.asked.is_set():
            _log.warning("the worker ended with status %s; starting it again", process.returncode)
            await _ended_or(None, stop.asked, pause)
            # One that refuses to start says why each time: more and more rarely.
            refused = process.returncode > 0
            pause = min(2 * pause, _LONGEST_RESTART_SECONDS) if refused else _RESTART_SECONDS


async def _end(process: asyncio.subprocess.Process, stop: Stop, grace_seconds: float) -> None:
    """Ask it; after its grace, or in a hurry, ask it again; then end it."""
    with suppress(ProcessLookupError):
        process.terminate()
        await _ended_or(process, stop.hurry, grace_seconds + _LAST_SECONDS)
        process.terminate()
        await _ended_or(process, asyncio.Event(), _LAST_SECONDS)
        process.kill()
        await process.wait()


async def _ended_or(
    process: asyncio.subprocess.Process | None, event: asyncio.Event, seconds: float | None = None
) -> None:
    """Wait until the process has ended or the event has come, or for that long."""
    tasks: list[asyncio.Task[object]] = [asyncio.create_task(event.wait())]
    if process is not None:
        tasks.append(asyncio.create_task(process.wait()))
    _, waiting = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()
