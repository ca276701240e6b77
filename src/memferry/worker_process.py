"""The composition of `memferry worker`: settings -> types of jobs, loops."""

import os
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial

from memferry.app import open_long_database, open_parts, open_standby
from memferry.database.pool import Database
from memferry.database.servers import service_url
from memferry.database.standby import Standby
from memferry.errors import Unavailable
from memferry.exports.read.snapshot import Reader
from memferry.exports.work import ExportWork
from memferry.formats import load_encoders
from memferry.imports.work import ImportWork
from memferry.jobs.attempt import Attempts
from memferry.jobs.queue import Queue
from memferry.jobs.retry import RetryPolicy
from memferry.jobs.work import Work
from memferry.operation.store_identity import StoreIdentity
from memferry.operation.store_start import agree_on_store
from memferry.operation.workers import HEARTBEAT_SECONDS, Workers, WorkerSignature
from memferry.settings import Settings, choose_allocator
from memferry.storage import Storage
from memferry.webhooks.delivery import Deliverer
from memferry.webhooks.outgoing import Sender
from memferry.worker.attendance import Attendance
from memferry.worker.loop import Loop
from memferry.worker.priority import give_way
from memferry.worker.run import Stop, run_loops, wait_for_schema
from memferry.worker.stuck_sessions import StuckSessions
from memferry.worker.sweeper import Sweeper

_BACKSTOP_SECONDS = 15
# Several heartbeats, and longer than a lease usually is.
_SILENT_SECONDS = 30


@dataclass(frozen=True)
class _Opened:
    """What a worker works with while it runs."""

    database: Database
    store: Storage
    imports: Database
    """The same database by connections whose transactions may be as long as an import."""
    standby: Database | None


async def run_worker(settings: Settings, stop: Stop) -> None:
    """Work until told to stop: jobs in progress are finished or handed back, nothing is lost."""
    give_way(settings.worker.nice)
    # Before the first export, which would pay for it in time and memory.
    choose_allocator()
    load_encoders()
    if not await wait_for_schema(service_url(settings.database), stop):
        return
    # Different in every process that ever was: a container's may all have the same number.
    word = secrets.token_hex(4)
    async with _open_worker_parts(settings, f"memferry worker {word}") as parts:
        identity = StoreIdentity(parts.database, parts.store)
        await agree_on_store(identity)
        worker = WorkerSignature(f"{socket.gethostname()}/{os.getpid()}/{word}")
        attendance = Attendance(Workers(parts.database), identity, worker)
        sender = Sender(settings.webhooks)
        try:
            await run_loops(
                _make_loops(settings, parts, attendance, sender),
                stop,
                attendance,
                url=service_url(settings.database),
                grace_seconds=settings.worker.grace_seconds,
            )
        finally:
            await sender.close()
            with suppress(Unavailable):
                await attendance.sign_out()


@asynccontextmanager
async def _open_worker_parts(settings: Settings, program: str) -> AsyncIterator[_Opened]:
    """Open all connections of a worker, whose sessions are named after `program`."""
    # The processes of an external server may be those of another machine.
    ours = partial(give_way, settings.worker.nice) if settings.database.url is None else None
    seconds = _longest_transaction_seconds(settings)
    async with (
        open_parts(settings, long_running_seconds=seconds, program=program, on_connect=ours) as (
            database,
            store,
        ),
        open_long_database(
            settings,
            long_running_seconds=_longest_import_seconds(settings),
            program=f"{program} import",
            on_connect=ours,
        ) as imports,
        open_standby(settings, long_running_seconds=seconds, program=program) as standby,
    ):
        yield _Opened(database, store, imports, standby)


def _make_loops(
    settings: Settings, parts: _Opened, attendance: Attendance, sender: Sender
) -> list[Loop]:
    works = (
        _make_export_work(settings, parts, attendance),
        ImportWork(parts.imports, parts.store, settings.worker, settings.quotas),
    )
    return [
        *_make_job_loops(settings, parts.database, *works, attendance=attendance),
        *_make_stuck_session_loops(settings, parts),
        *_make_other_loops(settings, parts, attendance, sender),
    ]


def _longest_transaction_seconds(settings: Settings) -> int:
    """How old a transaction of a worker that works can become: it ends its attempt before."""
    return settings.worker.snapshot_seconds + _BACKSTOP_SECONDS


def _longest_import_seconds(settings: Settings) -> int:
    """The same for a transaction of an import."""
    return settings.worker.import_seconds + _BACKSTOP_SECONDS


def _make_job_loops(
    settings: Settings, database: Database, *works: Work, attendance: Attendance
) -> list[Loop]:
    queue = Queue(database, settings.worker, settings.quotas)
    attempts = Attempts(
        queue,
        {work.type: work for work in works},
        worker=attendance.worker_id,
        lease_seconds=settings.worker.lease_seconds,
        policy=RetryPolicy(
            attempts=settings.worker.attempts, first_pause=settings.worker.retry_seconds
        ),
        fitness=attendance,
    )
    return [
        Loop(f"jobs {number}", attempts.tick, channel="memferry_jobs")
        for number in range(1, settings.worker.exports + 1)
    ]


def _make_export_work(settings: Settings, parts: _Opened, attendance: Attendance) -> ExportWork:
    standby = None if parts.standby is None else Standby(parts.database, parts.standby)
    return ExportWork(
        Reader(parts.database, standby=standby, readers=settings.worker.readers),
        parts.store,
        settings.exports,
        settings.worker,
        settings.quotas,
        store_check=attendance,
    )


def _make_stuck_session_loops(settings: Settings, parts: _Opened) -> list[Loop]:
    servers = {"stuck sessions": parts.database}
    if parts.standby is not None:
        servers["stuck sessions on the standby"] = parts.standby
    return [
        Loop(
            name,
            StuckSessions(
                parts.database,
                seconds=_longest_transaction_seconds(settings),
                import_seconds=_longest_import_seconds(settings),
                silent_seconds=_SILENT_SECONDS,
                server=server,
            ).tick,
            channel=None,
            seconds=HEARTBEAT_SECONDS,
        )
        for name, server in servers.items()
    ]


def _make_other_loops(
    settings: Settings, parts: _Opened, attendance: Attendance, sender: Sender
) -> list[Loop]:
    deliverer = Deliverer(parts.database, sender)
    sweeper = Sweeper(
        parts.database, parts.store, settings.quotas, settings.exports, attendance=attendance
    )
    return [
        Loop("deliverer", deliverer.tick, channel="memferry_deliveries"),
        Loop("sweeper", sweeper.tick, channel=None, seconds=settings.worker.sweep_seconds),
    ]
