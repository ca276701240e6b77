"""The composition root: settings -> database, storage, services -> web app or worker.

The only module that knows all parts. Everything it opens, it closes.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from memferry.audit.service import Audit
from memferry.database.connection_shares import ConnectionShares
from memferry.database.pool import Database
from memferry.database.servers import owner_url, service_url
from memferry.erasure.memories import MemoryErasure
from memferry.erasure.projects import ProjectErasure
from memferry.exports.hand_out.downloads import Downloads
from memferry.exports.service import Exports
from memferry.imports.service import Imports
from memferry.memories.changes import MemoryBatches
from memferry.memories.history import MemoryHistory
from memferry.memories.lists import MemoryLists
from memferry.memories.overview import MemoryOverview
from memferry.memories.service import Memories
from memferry.operation.readiness import Readiness
from memferry.operation.store_identity import StoreIdentity
from memferry.operation.store_start import agree_on_store, prepare_store
from memferry.operation.workers import Workers
from memferry.projects.service import Projects
from memferry.request_rate import RequestRate
from memferry.settings import Settings, WebSettings
from memferry.shares import Shares
from memferry.storage import Storage, open_storage
from memferry.tenants.limits import TenantLimits
from memferry.tenants.operator import Operator
from memferry.tenants.sign_ins import SignIns
from memferry.tenants.tokens import Tokens
from memferry.webhooks.service import Webhooks

if TYPE_CHECKING:
    from starlette.types import ASGIApp


@asynccontextmanager
async def open_parts(
    settings: Settings,
    *,
    long_running_seconds: int | None = None,
    program: str = "memferry",
    on_connect: Callable[[int], object] | None = None,
    shares: ConnectionShares | None = None,
) -> AsyncIterator[tuple[Database, Storage]]:
    """Open the database and the store of a process, and close them at the end of the block."""
    database = Database(
        service_url(settings.database),
        settings.database,
        settings.quotas,
        long_running_seconds=long_running_seconds,
        program=program,
        on_connect=on_connect,
        shares=shares,
    )
    store = open_storage(settings.storage)
    try:
        async with _keep_open(database):
            await prepare_store(settings.database, store)
            yield database, store
    finally:
        await store.close()


@asynccontextmanager
async def open_long_database(
    settings: Settings,
    *,
    long_running_seconds: int,
    program: str,
    on_connect: Callable[[int], object] | None = None,
) -> AsyncIterator[Database]:
    """Open more connections to the database, for work that takes longer than all else."""
    database = Database(
        service_url(settings.database),
        settings.database,
        settings.quotas,
        long_running_seconds=long_running_seconds,
        program=program,
        on_connect=on_connect,
    )
    async with _keep_open(database):
        yield database


@asynccontextmanager
async def open_standby(
    settings: Settings, *, long_running_seconds: int, program: str
) -> AsyncIterator[Database | None]:
    """Open the standby that exports are read from; None if the settings name none."""
    if settings.database.standby_url is None:
        yield None
        return
    standby = Database(
        settings.database.standby_url,
        settings.database,
        long_running_seconds=long_running_seconds,
        program=program,
    )
    async with _keep_open(standby):
        yield standby


@asynccontextmanager
async def open_web_app(settings: Settings) -> "AsyncIterator[ASGIApp]":
    """Open the API over its database and store, both of which may be unavailable at first."""
    # The web framework takes longer to load than all else: workers and commands do without it.
    from memferry.http.app import Services, web_app  # noqa: PLC0415 - see above
    from memferry.mcp.endpoint import find_endpoint  # noqa: PLC0415 - see above
    from memferry.page.app import make_page  # noqa: PLC0415 - see above

    web, quotas = settings.web, settings.quotas
    shares = ConnectionShares(settings.database.pool_size)
    async with (
        open_parts(settings, shares=shares) as (database, store),
        aclosing(Audit(database, RequestRate(quotas.audit_notes_per_minute))) as audit,
    ):
        identity = StoreIdentity(database, store)
        await agree_on_store(identity)
        exports = Exports(database, store, settings.exports, quotas)
        erasure = MemoryErasure(database, store, settings.exports)
        services = Services(
            tokens=Tokens(database),
            sign_ins=SignIns(database),
            memories=Memories(database, quotas),
            lists=MemoryLists(database),
            batches=MemoryBatches(database, quotas),
            history=MemoryHistory(database, quotas),
            overview=MemoryOverview(database),
            memory_erasure=erasure,
            projects=Projects(database, quotas),
            project_erasure=ProjectErasure(database, erasure),
            exports=exports,
            imports=Imports(database, store, quotas),
            import_bytes=quotas.import_bytes,
            downloads=Downloads(database, store, exports, settings.exports),
            webhooks=Webhooks(database, settings.webhooks, quotas),
            audit=audit,
            rate=RequestRate(quotas.requests_per_minute),
            limits=TenantLimits(database, quotas),
            memory=_make_shares(web),
            readiness=Readiness(database, identity, Workers(database)),
            web=web,
            local_tenant=await _find_local_tenant(settings),
            mcp=find_endpoint(),
        )
        yield web_app(services, make_page(services))


@asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[Database]:
    """Open the database as the service role, on one connection, for checks."""
    one = replace(settings.database, pool_size=1)
    async with _keep_open(Database(service_url(one), one)) as database:
        yield database


@asynccontextmanager
async def open_store(settings: Settings) -> AsyncIterator[tuple[Storage, StoreIdentity]]:
    """Open the object store, with the identity that the database has for it."""
    store = open_storage(settings.storage)
    try:
        async with open_database(settings) as database:
            yield store, StoreIdentity(database, store)
    finally:
        await store.close()


@asynccontextmanager
async def _keep_open(database: Database) -> AsyncIterator[Database]:
    """Open connections of a database, and close them at the end of the block."""
    await database.open()
    try:
        yield database
    finally:
        await database.close()


async def _find_local_tenant(settings: Settings) -> UUID | None:
    """Find or create the local tenant; None if all programs need a token."""
    if settings.web.local_tenant is None:
        return None
    return await Operator(owner_url(settings.database)).ensure_tenant(settings.web.local_tenant)


def _make_shares(web: WebSettings) -> Shares:
    """Make the shares of memory for requests, of which one tenant may hold half."""
    return Shares(web.memory_bytes, tenant_most=web.memory_bytes // 2)
