"""The composition root: settings -> database, storage, services -> web app or worker.

The only module that knows all parts. Everything it opens, it closes.
"""

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from memferry.audit.service import Audit
from memferry.database.binaries import server_account
from memferry.database.directory import make_data_directory
from memferry.database.embedded import EmbeddedPostgres
from memferry.database.migrate import allow_login, find_schema_fault, migrate
from memferry.database.pool import SERVICE_ROLE, Database
from memferry.erasure.memories import MemoryErasure
from memferry.errors import Misconfigured, StorageUnavailable, Unavailable
from memferry.exports.downloads import Downloads
from memferry.exports.jobs import Jobs
from memferry.exports.limits import ExportLimits
from memferry.exports.run import Runs
from memferry.exports.service import Exports
from memferry.memories.service import Memories
from memferry.operation.readiness import Readiness
from memferry.operation.store_identity import StoreIdentity
from memferry.operation.workers import HEARTBEAT_SECONDS, Workers, WorkerSignature
from memferry.settings import Settings
from memferry.storage import S3Options, Storage, open_storage
from memferry.tenants.pace import Pace
from memferry.tenants.tokens import Tokens
from memferry.webhooks.delivery import Deliverer
from memferry.webhooks.outgoing import Sender
from memferry.webhooks.service import Webhooks
from memferry.worker.attendance import Attendance
from memferry.worker.exporter import Exporter, Patience
from memferry.worker.halted import Halted
from memferry.worker.loop import Loop, wake_on_notify
from memferry.worker.priority import give_way
from memferry.worker.sweeper import Sweeper

if TYPE_CHECKING:
    from starlette.types import ASGIApp

_log = logging.getLogger("memferry")
_BULK_TIMES = 10
_BACKSTOP_SECONDS = 15
_SCHEMA_SECONDS = 1.0
_LOOK_SECONDS = 5
_LAST_WORDS_SECONDS = 5
# Several heartbeats, and longer than a lease usually is.
_SILENT_SECONDS = 30


def embedded_postgres(settings: Settings) -> EmbeddedPostgres:
    """The embedded server of this data directory; neither started nor attached to."""
    return EmbeddedPostgres(
        settings.data_dir / "postgres",
        binaries=settings.postgres_bin,
        run_as=settings.postgres_user,
        shared_mb=settings.postgres_shared_mb,
    )


def owner_url(settings: Settings) -> str:
    """Where the owner of the tables connects."""
    return settings.database_url or embedded_postgres(settings).url()


def service_url(settings: Settings) -> str:
    """Where the API and the worker connect.

    On the embedded server that is a role which owns nothing. An external server gets the owner's
    address, and each session there steps down to that role.
    """
    return settings.database_url or embedded_postgres(settings).url(SERVICE_ROLE)


async def prepare_database(settings: Settings) -> list[str]:
    """Bring the schema up to date; answers the migrations applied now."""
    applied = await migrate(owner_url(settings))
    if settings.database_url is None:
        await allow_login(owner_url(settings))
    return applied


def storage(settings: Settings) -> Storage:
    """The object store the settings name; the default lies below the data directory."""
    url = settings.storage_url or (settings.data_dir / "exports").as_uri()
    return open_storage(
        url,
        S3Options(
            endpoint=settings.s3_endpoint,
            region=settings.s3_region,
            access_key=settings.s3_access_key,
            secret_key=settings.s3_secret_key,
            session_token=settings.s3_session_token,
            encryption=settings.s3_encryption,
            kms_key=settings.s3_kms_key,
            authorities=settings.s3_ca_file,
        ),
    )


async def prepare_store(settings: Settings, store: Storage) -> None:
    """Make what the store needs; one that is away may come later."""
    try:
        if store.directory is not None and store.directory.is_relative_to(settings.data_dir):
            account = None if settings.database_url else server_account(settings.postgres_user)
            make_data_directory(settings.data_dir, account)
        await store.prepare()
    except (Misconfigured, StorageUnavailable) as fault:
        _log.warning("%s", fault)


@asynccontextmanager
async def _opened(
    settings: Settings,
    *,
    patient_seconds: int,
    program: str = "memferry",
    on_connect: Callable[[int], object] | None = None,
) -> AsyncIterator[tuple[Database, Storage]]:
    database = Database(
        service_url(settings),
        size=settings.pool_size,
        statement_seconds=settings.statement_seconds,
        patient_seconds=patient_seconds,
        program=program,
        on_connect=on_connect,
    )
    store = storage(settings)
    await database.open()
    try:
        await prepare_store(settings, store)
        yield database, store
    finally:
        await database.close()
        await store.close()


@asynccontextmanager
async def opened_web_app(settings: Settings) -> "AsyncIterator[ASGIApp]":
    """The API over its database and store; neither needs to be there yet."""
    # The web framework takes longer to load than all else: workers and commands do without it.
    from memferry.http.app import Services, web_app  # noqa: PLC0415

    bulk_seconds = _BULK_TIMES * settings.statement_seconds
    async with (
        _opened(settings, patient_seconds=bulk_seconds) as (database, store),
        aclosing(Audit(database)) as audit,
    ):
        identity = StoreIdentity(database, store)
        await _agree_on_store(identity)
        exports = Exports(
            database,
            store,
            lifetime_seconds=settings.export_lifetime_seconds,
            limits=_export_limits(settings),
        )
        yield web_app(
            Services(
                tokens=Tokens(database),
                memories=Memories(database),
                memory_erasure=MemoryErasure(database, store, always_purge=settings.purge_exports),
                exports=exports,
                downloads=Downloads(database, store, exports, direct=settings.direct_downloads),
                webhooks=Webhooks(database, allow_private=settings.webhooks_allow_private),
                audit=audit,
                pace=Pace(settings.requests_per_minute),
                readiness=Readiness(database, identity, Workers(database)),
                public_url=settings.public_url,
            )
        )


async def _agree_on_store(identity: StoreIdentity) -> None:
    """Raises OtherStore if the store is not the database's; one that is away is looked at later."""
    try:
        async with asyncio.timeout(_LOOK_SECONDS):
            await identity.establish()
    except (Unavailable, TimeoutError) as fault:
        reason = str(fault) or "it does not answer"
        _log.warning("the object store's identity could not be looked at yet: %s", reason)


@asynccontextmanager
async def opened_workers(settings: Settings) -> AsyncIterator[Workers]:
    """The list of workers, on one connection of its own."""
    database = Database(service_url(settings), size=1)
    await database.open()
    try:
        yield Workers(database)
    finally:
        await database.close()


def _export_limits(settings: Settings) -> ExportLimits:
    return ExportLimits(
        per_hour=settings.exports_per_hour,
        unfinished=settings.unfinished_exports,
        stored_bytes=settings.stored_bytes,
        rows=settings.export_rows,
    )


@dataclass(frozen=True)
class Stop:
    """How a process is asked to end: `asked` once, then `hurry` when asked again."""

    asked: asyncio.Event = field(default_factory=asyncio.Event)
    hurry: asyncio.Event = field(default_factory=asyncio.Event)

    def ask(self) -> None:
        """Ask, or ask again."""
        (self.hurry if self.asked.is_set() else self.asked).set()


async def run_worker(settings: Settings, stop: Stop) -> None:
    """Work until told to stop: exports in progress are finished or handed back, nothing is lost."""
    # For workers that are halted: one that works ends its attempt by itself before.
    longest = settings.snapshot_seconds + _BACKSTOP_SECONDS
    give_way(settings.worker_nice)
    if not await _wait_for_schema(service_url(settings), stop):
        return
    # The processes of an external server may be those of another machine.
    ours = partial(give_way, settings.worker_nice) if settings.database_url is None else None
    # Different in every process that ever was: a container's may all have the same number.
    word = secrets.token_hex(4)
    program = f"memferry worker {word}"
    async with _opened(settings, patient_seconds=longest, program=program, on_connect=ours) as (
        database,
        store,
    ):
        identity = StoreIdentity(database, store)
        await _agree_on_store(identity)
        name = f"{socket.gethostname()}/{os.getpid()}/{word}"
        attendance = Attendance(Workers(database), identity, WorkerSignature(name))
        sender = Sender(allow_private=settings.webhooks_allow_private)
        exporter = _exporter(settings, database, store, name, attendance)
        deliverer = Deliverer(database, sender)
        halted = Halted(database, seconds=longest, silent_seconds=_SILENT_SECONDS)
        sweeper = Sweeper(
            database,
            store,
            lifetime_seconds=settings.export_lifetime_seconds,
            attendance=attendance,
        )
        loops = [
            *(
                Loop(f"exporter {number}", exporter.tick, channel="memferry_exports")
                for number in range(1, settings.worker_exports + 1)
            ),
            Loop("attendance", attendance.tick, channel=None, seconds=HEARTBEAT_SECONDS),
            Loop("deliverer", deliverer.tick, channel="memferry_deliveries"),
            Loop("halted", halted.tick, channel=None, seconds=HEARTBEAT_SECONDS),
            Loop("sweeper", sweeper.tick, channel=None, seconds=settings.sweep_seconds),
        ]
        try:
            await _run_until(stop, loops, service_url(settings), settings.grace_seconds)
        finally:
            await sender.close()
            with suppress(Unavailable):
                await attendance.sign_out()


async def _wait_for_schema(url: str, stop: Stop) -> bool:
    """Wait until the database is there with the schema of this version; False: told to stop."""
    said: str | None = None
    while not stop.asked.is_set():
        try:
            fault = await find_schema_fault(url)
        except Unavailable as away:
            fault = str(away)
        if fault is None:
            return True
        if fault != said:
            _log.warning("the worker waits: %s", fault)
            said = fault
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.asked.wait(), _SCHEMA_SECONDS)
    return False


def _exporter(
    settings: Settings, database: Database, store: Storage, name: str, attendance: Attendance
) -> Exporter:
    jobs = Jobs(
        database,
        lease_seconds=settings.lease_seconds,
        lifetime_seconds=settings.export_lifetime_seconds,
        running_per_tenant=settings.running_per_tenant,
    )
    patience = Patience(
        lease=settings.lease_seconds,
        attempts=settings.export_attempts,
        first_pause=settings.retry_seconds,
        snapshot=settings.snapshot_seconds,
        most_bytes=settings.export_bytes,
    )
    return Exporter(
        jobs,
        Runs(database, readers=settings.export_readers),
        store,
        worker=name,
        patience=patience,
        attendance=attendance,
    )


async def _run_until(stop: Stop, loops: list[Loop], url: str, grace_seconds: float) -> None:
    listener = asyncio.create_task(wake_on_notify(url, loops))
    tasks = [asyncio.create_task(loop.run(), name=loop.name) for loop in loops]
    await stop.asked.wait()
    for loop in loops:
        loop.stop()
    with suppress(TimeoutError):
        async with asyncio.timeout(grace_seconds):
            await _first(asyncio.wait(tasks), stop.hurry.wait())
    for task in (*tasks, listener):
        task.cancel()
    # What they say last, a database that is away does not hear.
    await asyncio.wait([*tasks, listener], timeout=_LAST_WORDS_SECONDS)


async def _first(*waits: Coroutine[Any, Any, object]) -> None:
    """Return as soon as one of them does."""
    tasks = [asyncio.create_task(each) for each in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
