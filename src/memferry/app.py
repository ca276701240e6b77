"""The composition root: settings -> database, storage, services -> web app or worker.

The only module that knows all parts. Everything it opens, it closes.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING

from memferry.audit.service import Audit
from memferry.database.binaries import ensure_account
from memferry.database.connection_shares import ConnectionShares
from memferry.database.directory import make_data_directory
from memferry.database.embedded import EmbeddedPostgres
from memferry.database.migrate import allow_login, migrate
from memferry.database.pool import SERVICE_ROLE, Database
from memferry.erasure.memories import MemoryErasure
from memferry.errors import Misconfigured, StorageUnavailable, Unavailable
from memferry.exports.downloads import Downloads
from memferry.exports.limits import ExportLimits
from memferry.exports.service import Exports
from memferry.memories.limits import MemoryLimits
from memferry.memories.service import Memories
from memferry.operation.readiness import Readiness
from memferry.operation.store_identity import StoreIdentity
from memferry.operation.workers import Workers
from memferry.request_rate import RequestRate
from memferry.settings import Settings
from memferry.shares import Shares
from memferry.storage import S3Options, Storage, open_storage
from memferry.tenants.admin import Admin
from memferry.tenants.limits import TenantLimits
from memferry.tenants.tokens import Tokens
from memferry.webhooks.service import Webhooks

if TYPE_CHECKING:
    from starlette.types import ASGIApp

_log = logging.getLogger("memferry")
_BULK_TIMES = 10
_LOOK_SECONDS = 5


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
            account = None if settings.database_url else ensure_account(settings.postgres_user)
            make_data_directory(settings.data_dir, account)
        await store.prepare()
    except (Misconfigured, StorageUnavailable) as fault:
        _log.warning("%s", fault)


@asynccontextmanager
async def opened_parts(
    settings: Settings,
    *,
    patient_seconds: int,
    program: str = "memferry",
    on_connect: Callable[[int], object] | None = None,
    shares: ConnectionShares | None = None,
) -> AsyncIterator[tuple[Database, Storage]]:
    """The database and the store of a process; closed at the end, however that comes."""
    database = Database(
        service_url(settings),
        size=settings.pool_size,
        statement_seconds=settings.statement_seconds,
        patient_seconds=patient_seconds,
        program=program,
        on_connect=on_connect,
        shares=shares,
        settings={
            "memferry.waiting_messages": str(settings.waiting_messages),
            "memferry.waiting_message_bytes": str(settings.waiting_message_bytes),
        },
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
async def opened_standby(
    settings: Settings, *, patient_seconds: int, program: str
) -> AsyncIterator[Database | None]:
    """The standby that exports are read from; None if the settings name none."""
    if settings.export_database_url is None:
        yield None
        return
    standby = Database(
        settings.export_database_url,
        size=settings.pool_size,
        statement_seconds=settings.statement_seconds,
        patient_seconds=patient_seconds,
        program=program,
    )
    await standby.open()
    try:
        yield standby
    finally:
        await standby.close()


@asynccontextmanager
async def opened_web_app(settings: Settings) -> "AsyncIterator[ASGIApp]":
    """The API over its database and store; neither needs to be there yet."""
    # The web framework takes longer to load than all else: workers and commands do without it.
    from memferry.http.app import Services, web_app  # noqa: PLC0415

    async with (
        opened_parts(
            settings,
            patient_seconds=_BULK_TIMES * settings.statement_seconds,
            shares=ConnectionShares(settings.pool_size),
        ) as (database, store),
        aclosing(Audit(database, RequestRate(settings.notes_per_minute))) as audit,
    ):
        identity = StoreIdentity(database, store)
        await agree_on_store(identity)
        exports = Exports(
            database,
            store,
            lifetime_seconds=settings.export_lifetime_seconds,
            limits=_export_limits(settings),
        )
        local = settings.local_tenant
        yield web_app(
            Services(
                tokens=Tokens(database),
                memories=Memories(database, _memory_limits(settings)),
                memory_erasure=MemoryErasure(database, store, always_purge=settings.purge_exports),
                exports=exports,
                downloads=Downloads(database, store, exports, direct=settings.direct_downloads),
                webhooks=Webhooks(
                    database,
                    allow_private=settings.webhooks_allow_private,
                    most=settings.webhooks,
                ),
                audit=audit,
                rate=RequestRate(settings.requests_per_minute),
                limits=TenantLimits(database, _tenant_limits(settings)),
                memory=_memory_shares(settings),
                request_seconds=settings.request_seconds,
                bulk_seconds=_BULK_TIMES * settings.request_seconds,
                readiness=Readiness(database, identity, Workers(database)),
                public_url=settings.public_url,
                local_tenant=None
                if local is None
                else await Admin(owner_url(settings)).ensure_tenant(local),
            )
        )


async def agree_on_store(identity: StoreIdentity) -> None:
    """Raises OtherStore if the store is not the database's; one that is away is looked at later."""
    try:
        async with asyncio.timeout(_LOOK_SECONDS):
            await identity.establish()
    except (Unavailable, TimeoutError) as fault:
        reason = str(fault) or "it does not answer"
        _log.warning("the object store's identity could not be looked at yet: %s", reason)


@asynccontextmanager
async def opened_database(settings: Settings) -> AsyncIterator[Database]:
    """The database as the service sees it, on one connection: for a look from beside."""
    database = Database(service_url(settings), size=1)
    await database.open()
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def opened_store(settings: Settings) -> AsyncIterator[tuple[Storage, StoreIdentity]]:
    """The object store, and its identity as the database has it."""
    store = storage(settings)
    try:
        async with opened_database(settings) as database:
            yield store, StoreIdentity(database, store)
    finally:
        await store.close()


def _tenant_limits(settings: Settings) -> dict[str, int]:
    return {
        "memories": settings.memory_rows,
        "memory_bytes": settings.memory_bytes,
        "webhooks": settings.webhooks,
        "waiting_messages": settings.waiting_messages,
        "waiting_message_bytes": settings.waiting_message_bytes,
        "requests_per_minute": settings.requests_per_minute,
        "audit_notes_per_minute": settings.notes_per_minute,
        "exports_per_hour": settings.exports_per_hour,
        "unfinished_exports": settings.unfinished_exports,
        "stored_bytes": settings.stored_bytes,
    }


def _memory_limits(settings: Settings) -> MemoryLimits:
    return MemoryLimits(rows=settings.memory_rows, bytes=settings.memory_bytes)


def _memory_shares(settings: Settings) -> Shares:
    """The bytes that requests may hold, half of them those of one tenant."""
    size_bytes = settings.memory_mb * 1024**2
    return Shares(size_bytes, tenant_most=size_bytes // 2)


def _export_limits(settings: Settings) -> ExportLimits:
    return ExportLimits(
        per_hour=settings.exports_per_hour,
        unfinished=settings.unfinished_exports,
        stored_bytes=settings.stored_bytes,
        rows=settings.export_rows,
    )
