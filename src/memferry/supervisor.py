"""`memferry serve`: runs and supervises the embedded PostgreSQL, the API and one worker process."""

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass
from ipaddress import ip_address

from memferry.app import open_database, open_web_app
from memferry.cancellation import finish_uncancelled, run_in_thread, wait_for_first
from memferry.database.embedded import EmbeddedPostgres
from memferry.database.servers import make_embedded_postgres, owner_url, prepare_database
from memferry.errors import MemferryError, Misconfigured, Unavailable
from memferry.http.server import Server
from memferry.model.token import SCOPES, Grant
from memferry.operation.readiness import describe_workers
from memferry.operation.workers import MISSING_SECONDS, Workers
from memferry.settings import Settings
from memferry.telemetry import log_event
from memferry.tenants.operator import Operator
from memferry.tenants.sign_ins import SignInSecret
from memferry.tenants.tokens import BearerToken
from memferry.worker.run import Stop

_WATCH_SECONDS = 0.5
_RESTART_SECONDS = 1.0
_LONGEST_RESTART_SECONDS = 30.0
_LAST_SECONDS = 5
_FIRST_TENANT = "default"
_REFUSAL = (
    "not listening on {host}, which other machines reach, while nobody has a token; make one with: "
    "memferry token create --tenant NAME (or set MEMFERRY_ALLOW_PUBLIC=true, and find the first "
    "token in the log)"
)


@dataclass(frozen=True)
class FirstAccess:
    """How the operator gets in at the first start; neither is shown again."""

    token: BearerToken
    link: SignInSecret


Started = Callable[[FirstAccess | None], None]


async def serve(
    settings: Settings, host: str, port: int, started: Started, *, with_worker: bool = True
) -> None:
    """Run everything until SIGTERM or Ctrl-C, then stop it in order; leaves no process behind.

    A second signal cuts the grace short. With `with_worker` False, workers must run elsewhere.

    Calls `started` once the API accepts connections, with the first token and a link to sign in if
    this is the first start. Raises Misconfigured if the port or the data directory is taken, and if
    other machines could reach a service that has no token.
    """
    listening = _listen(host, port)
    _refuse_public_local_tenant(settings, listening)
    stop = Stop()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.ask)
    async with _own_database(settings):
        await prepare_database(settings.database)
        token = await _ensure_first_token(settings, listening)
        keep_worker = _own_worker(settings, stop) if with_worker else nullcontext()
        async with open_web_app(settings) as app, keep_worker, _keep_watching_workers(settings):
            server = Server(app, connections=settings.web.connections)
            serving = asyncio.create_task(server.serve(sockets=[listening]))
            with suppress(asyncio.CancelledError):
                await server.ready(serving)
                started(await _make_first_access(settings, token))
                await wait_for_first(asyncio.wait([serving]), stop.requested.wait())
            stop.requested.set()
            server.should_exit = True
            await wait_for_first(asyncio.wait([serving]), stop.hurry.wait())
            server.force_exit = not serving.done()
            await serving


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
async def _own_database(settings: Settings) -> AsyncIterator[None]:
    """Own the embedded server while the block runs; leaves an external one to its operator."""
    if settings.database.url is not None:
        yield
        return
    embedded = make_embedded_postgres(settings.database)
    await asyncio.to_thread(embedded.start)
    watching = asyncio.create_task(_keep_running(embedded))
    try:
        yield
    finally:
        watching.cancel()
        await finish_uncancelled(watching)
        await asyncio.to_thread(embedded.stop)


async def _keep_running(embedded: EmbeddedPostgres) -> None:
    """Start PostgreSQL again each time it dies."""
    while True:
        await asyncio.sleep(_WATCH_SECONDS)
        if embedded.process is not None and embedded.process.poll() is None:
            continue
        log_event("database.died")
        try:
            await run_in_thread(embedded.start)
        except MemferryError as fault:
            log_event("database.failed", reason=fault)


async def _ensure_first_token(settings: Settings, listening: socket.socket) -> BearerToken | None:
    """Create a token with all scopes if this is the first start; None if there are tokens.

    Raises Misconfigured where other machines could connect and no token is valid: an operator must
    create the first token before, so that it stands in no log.
    """
    operator = Operator(owner_url(settings.database))
    tokens = await operator.list_tokens()
    host = listening.getsockname()[0]
    public = not ip_address(host).is_loopback and not settings.web.allow_public
    if public and all(token["revoked_at"] is not None for token in tokens):
        listening.close()
        raise Misconfigured(_REFUSAL.format(host=host))
    if tokens:
        return None
    return await operator.create_token(_FIRST_TENANT, "first start", Grant(scopes=SCOPES))


async def _make_first_access(settings: Settings, token: BearerToken | None) -> FirstAccess | None:
    """Add a link to the first token; its time begins now."""
    if token is None:
        return None
    operator = Operator(owner_url(settings.database))
    return FirstAccess(token, await operator.create_sign_in_link(token))


@asynccontextmanager
async def _keep_watching_workers(settings: Settings) -> AsyncIterator[None]:
    """Log when no worker does its work, and when one does again, while the block runs."""
    watching = asyncio.create_task(_watch_workers(settings))
    try:
        yield
    finally:
        watching.cancel()


async def _watch_workers(settings: Settings) -> None:
    logged: str | None = None
    async with open_database(settings) as database:
        workers = Workers(database)
        while True:
            await asyncio.sleep(MISSING_SECONDS)
            try:
                fault = describe_workers(await workers.list_all())
            except Unavailable:
                continue
            if fault is not None and fault != logged:
                log_event("workers.missed", reason=fault)
            elif fault is None and logged is not None:
                log_event("workers.returned")
            logged = fault


@asynccontextmanager
async def _own_worker(settings: Settings, stop: Stop) -> AsyncIterator[None]:
    """Run a worker process while the block runs, and start it again when it dies."""
    keeper = asyncio.create_task(_keep_worker(settings, stop))
    try:
        yield
    finally:
        stop.requested.set()
        await asyncio.wait([keeper])


async def _keep_worker(settings: Settings, stop: Stop) -> None:
    pause = _RESTART_SECONDS
    while not stop.requested.is_set():
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "memferry", "worker", "--supervised"),
            stdin=asyncio.subprocess.PIPE,
            env=settings.child_environment(),
            # Ctrl-C reaches the whole foreground group; the worker gets its own SIGTERM.
            start_new_session=True,
        )
        await wait_for_first(process.wait(), stop.requested.wait())
        if process.returncode is None:
            await _stop_process(process, stop, settings.worker.grace_seconds)
        elif not stop.requested.is_set():
            log_event("worker.ended", status=process.returncode)
            await wait_for_first(stop.requested.wait(), seconds=pause)
            # A worker that refuses to start logs its reason each time, so the pause grows.
            refused = process.returncode > 0
            pause = min(2 * pause, _LONGEST_RESTART_SECONDS) if refused else _RESTART_SECONDS


async def _stop_process(
    process: asyncio.subprocess.Process, stop: Stop, grace_seconds: float
) -> None:
    """Send SIGTERM; after the grace, or in a hurry, send it again; then SIGKILL."""
    with suppress(ProcessLookupError):
        process.terminate()
        await wait_for_first(
            process.wait(), stop.hurry.wait(), seconds=grace_seconds + _LAST_SECONDS
        )
        process.terminate()
        await wait_for_first(process.wait(), seconds=_LAST_SECONDS)
        process.kill()
        await process.wait()
