"""The composition root: settings -> database, storage, services -> web app or worker.

The only module that knows all parts. Everything it opens, it closes.
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import ASGIApp

from memferry.database.embedded import EmbeddedPostgres
from memferry.database.migrate import allow_login, migrate
from memferry.database.pool import SERVICE_ROLE, Database
from memferry.exports.downloads import Downloads
from memferry.exports.service import Exports
from memferry.http.app import Services, web_app
from memferry.memories.service import Memories
from memferry.settings import Settings
from memferry.storage import S3Options, Storage, open_storage
from memferry.tenants.tokens import Tokens
from memferry.webhooks.delivery import Deliverer
from memferry.webhooks.outgoing import Sender
from memferry.webhooks.service import Webhooks
from memferry.worker.exporter import Exporter
from memferry.worker.loop import Loop, wake_on_notify


def embedded_postgres(settings: Settings) -> EmbeddedPostgres:
    """The embedded server of this data directory; neither started nor attached to."""
    return EmbeddedPostgres(
        settings.data_dir / "postgres",
        binaries=settings.postgres_bin,
        run_as=settings.postgres_user,
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
        ),
    )


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[tuple[Database, Storage]]:
    database = Database(service_url(settings), size=settings.pool_size)
    store = storage(settings)
    await database.open()
    try:
        yield database, store
    finally:
        await database.close()
        await store.close()


@asynccontextmanager
async def opened_web_app(settings: Settings) -> AsyncIterator[ASGIApp]:
    """The API over its database and store; neither needs to be there yet."""
    async with _opened(settings) as (database, store):
        exports = Exports(database)
        yield web_app(
            Services(
                tokens=Tokens(database),
                memories=Memories(database),
                exports=exports,
                downloads=Downloads(database, store, exports),
                webhooks=Webhooks(database, allow_private=settings.webhooks_allow_private),
                public_url=settings.public_url,
            )
        )


async def run_worker(settings: Settings, stop: asyncio.Event) -> None:
    """Work until told to stop: exports in progress are handed back, nothing is lost."""
    name = f"{socket.gethostname()}/{os.getpid()}"
    async with _opened(settings) as (database, store):
        exporter = Exporter(database, store, worker=name, lease_seconds=settings.lease_seconds)
        sender = Sender(allow_private=settings.webhooks_allow_private)
        deliverer = Deliverer(database, sender)
        loops = [
            *(
                Loop(f"exporter {number}", "memferry_exports", exporter.tick)
                for number in range(1, settings.worker_exports + 1)
            ),
            Loop("deliverer", "memferry_deliveries", deliverer.tick),
        ]
        await _run_until(stop, loops, service_url(settings))
        await sender.close()


async def _run_until(stop: asyncio.Event, loops: list[Loop], url: str) -> None:
    listener = asyncio.create_task(wake_on_notify(url, loops))
    tasks = [asyncio.create_task(loop.run(), name=loop.name) for loop in loops]
    await stop.wait()
    for loop in loops:
        loop.stop()
    _, running = await asyncio.wait(tasks, timeout=1)
    for task in (*running, listener):
        task.cancel()
    await asyncio.wait([*tasks, listener])
