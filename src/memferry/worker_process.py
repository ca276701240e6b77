"""`memferry worker`: loops that claim what waits in the database, until it is told to stop."""

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from memferry.app import open_parts, open_standby
from memferry.database.migrate import find_schema_fault
from memferry.database.pool import Database
from memferry.database.servers import service_url
from memferry.database.standby import Standby
from memferry.errors import Unavailable
from memferry.exports.read.snapshot import Reader
from memferry.exports.work import ExportWork
from memferry.jobs.attempt import Attempts
from memferry.jobs.queue import Queue
from memferry.jobs.retry import RetryPolicy
from memferry.jobs.work import Work
from memferry.operation.store_identity import StoreIdentity
from memferry.operation.store_start import agree_on_store
from memferry.operation.workers import HEARTBEAT_SECONDS, Workers, WorkerSignature
from memferry.settings import Settings
from memferry.storage import Storage
from memferry.webhooks.delivery import Deliverer
from memferry.webhooks.outgoing import Sender
from memferry.worker.attendance import Attendance
from memferry.worker.loop import Loop, wake_on_notify
from memferry.worker.priority import give_way
from memferry.worker.stuck_sessions import StuckSessions
from memferry.worker.sweeper import Sweeper

_log = logging.getLogger("memferry.worker")
_BACKSTOP_SECONDS = 15
_SCHEMA_SECONDS = 1.0
_LAST_WORDS_SECONDS = 5
# Several heartbeats, and longer than a lease usually is.
_SILENT_SECONDS = 30


@dataclass(frozen=True)
class Stop:
    """How a process is asked to end: `asked` once, then `hurry` when asked again."""

    asked: asyncio.Event = field(default_factory=asyncio.Event)
    hurry: asyncio.Event = field(default_factory=asyncio.Event)

    def ask(self) -> None:
        """Ask, or ask again."""
        (self.hurry if self.asked.is_set() else self.asked).set()


async def run_worker(settings: Settings, stop: Stop) -> None:
    """Work until told to stop: jobs in progress are finished or handed back, nothing is lost."""
    give_way(settings.worker.nice)
    if not await _wait_for_schema(service_url(settings.database), stop):
        return
    # The processes of an external server may be those of another machine.
    ours = partial(give_way, settings.worker.nice) if settings.database.url is None else None
    # Different in every process that ever was: a container's may all have the same number.
    word = secrets.token_hex(4)
    program, patient_seconds = f"memferry worker {word}", _longest_transaction_seconds(settings)
    async with (
        open_parts(settings, patient_seconds=patient_seconds, program=program, on_connect=ours) as (
            database,
            store,
        ),
        open_standby(settings, patient_seconds=patient_seconds, program=program) as standby,
    ):
        identity = StoreIdentity(database, store)
        await agree_on_store(identity)
        worker = WorkerSignature(f"{socket.gethostname()}/{os.getpid()}/{word}")
        attendance = Attendance(Workers(database), identity, worker)
        sender = Sender(settings.webhooks)
        loops = [
            *_make_job_loops(settings, database, standby, store, attendance),
            *_make_stuck_session_loops(settings, database, standby),
            *_make_other_loops(settings, database, store, attendance, sender),
        ]
        try:
            await _run_until(stop, loops, attendance, settings)
        finally:
            await sender.close()
            with suppress(Unavailable):
                await attendance.sign_out()


def _longest_transaction_seconds(settings: Settings) -> int:
    """How old a transaction of a worker that works can become: it ends its attempt before."""
    return settings.worker.snapshot_seconds + _BACKSTOP_SECONDS


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


def _make_job_loops(
    settings: Settings,
    database: Database,
    standby: Database | None,
    store: Storage,
    attendance: Attendance,
) -> list[Loop]:
    queue = Queue(
        database,
        lease_seconds=settings.worker.lease_seconds,
        running_per_tenant=settings.quotas.running_exports,
    )
    works: list[Work] = [_make_export_work(settings, database, standby, store, attendance)]
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


def _make_export_work(
    settings: Settings,
    database: Database,
    standby: Database | None,
    store: Storage,
    attendance: Attendance,
) -> ExportWork:
    return ExportWork(
        Reader(
            database,
            standby=None if standby is None else Standby(database, standby),
            readers=settings.worker.readers,
        ),
        store,
        lifetime_seconds=settings.exports.lifetime_seconds,
        snapshot_seconds=settings.worker.snapshot_seconds,
        most_bytes=settings.quotas.export_bytes,
        store_check=attendance,
    )


def _make_stuck_session_loops(
    settings: Settings, database: Database, standby: Database | None
) -> list[Loop]:
    servers = {"stuck sessions": database}
    if standby is not None:
        servers["stuck sessions on the standby"] = standby
    longest = _longest_transaction_seconds(settings)
    return [
        Loop(
            name,
            StuckSessions(
                database, seconds=longest, silent_seconds=_SILENT_SECONDS, server=server
            ).tick,
            channel=None,
            seconds=HEARTBEAT_SECONDS,
        )
        for name, server in servers.items()
    ]


def _make_other_loops(
    settings: Settings, database: Database, store: Storage, attendance: Attendance, sender: Sender
) -> list[Loop]:
    deliverer = Deliverer(database, sender)
    sweeper = Sweeper(database, store, attendance=attendance)
    return [
        Loop("deliverer", deliverer.tick, channel="memferry_deliveries"),
        Loop("sweeper", sweeper.tick, channel=None, seconds=settings.worker.sweep_seconds),
    ]


async def _run_until(
    stop: Stop, loops: list[Loop], attendance: Attendance, settings: Settings
) -> None:
    # A worker is alive until its last job is finished, however long it has been stopping.
    signs_of_life = Loop("attendance", attendance.tick, channel=None, seconds=HEARTBEAT_SECONDS)
    beside = [
        asyncio.create_task(wake_on_notify(service_url(settings.database), loops)),
        asyncio.create_task(signs_of_life.run()),
    ]
    tasks = [asyncio.create_task(loop.run(), name=loop.name) for loop in loops]
    await stop.asked.wait()
    for loop in loops:
        loop.stop()
    with suppress(TimeoutError):
        async with asyncio.timeout(settings.worker.grace_seconds):
            await _first(asyncio.wait(tasks), stop.hurry.wait())
    for task in (*tasks, *beside):
        task.cancel()
    # What they say last, a database that is away does not hear.
    await asyncio.wait([*tasks, *beside], timeout=_LAST_WORDS_SECONDS)


async def _first(*waits: Coroutine[Any, Any, object]) -> None:
    """Return as soon as one of them does."""
    tasks = [asyncio.create_task(each) for each in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
