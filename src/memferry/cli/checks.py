"""The checks of `memferry doctor`, for the service that the settings describe."""

from collections.abc import AsyncIterator, Mapping

from memferry.app import open_store
from memferry.client.readiness import read_readiness
from memferry.database.servers import make_embedded_postgres, owner_url
from memferry.errors import MemferryError, ServiceUnreachable
from memferry.operation.access import DatabaseAccess
from memferry.operation.checkup import Checkup
from memferry.operation.findings import Check, Finding
from memferry.operation.standby_checkup import StandbyCheckup
from memferry.operation.store_checkup import check_store
from memferry.settings import ClientSettings, Settings


def list_checks(settings: Settings) -> Mapping[str, Check]:
    """Every check by the name of its part, in the order in which one part needs another."""
    access = _describe_access(settings)
    standby_url, snapshot_seconds = settings.database.standby_url, settings.worker.snapshot_seconds
    database = Checkup(access, snapshot_seconds)
    standby = StandbyCheckup(
        access, DatabaseAccess(standby_url) if standby_url else None, snapshot_seconds
    )
    return {
        "database": database.check_database,
        "schema": database.check_schema,
        "snapshots": database.check_snapshots,
        "log": database.check_log,
        "standby": standby.check_standby,
        "object store": lambda: _check_store(settings),
        "worker": database.check_workers,
        "service": lambda: _check_service(settings.client, database),
    }


def _describe_access(settings: Settings) -> DatabaseAccess:
    url = owner_url(settings.database)
    if settings.database.url is not None:
        return DatabaseAccess(url)
    return DatabaseAccess(url, make_embedded_postgres(settings.database), settings.data_dir)


async def _check_store(settings: Settings) -> AsyncIterator[Finding]:
    place = settings.storage.url or str(settings.data_dir / "exports")
    async with open_store(settings) as (store, identity):
        async for finding in check_store(place, store, identity):
            yield finding


async def _check_service(client: ClientSettings, database: Checkup) -> AsyncIterator[Finding]:
    """Whether the service answers, and works on the database that these settings name."""
    try:
        readiness = read_readiness(client.address)
    except ServiceUnreachable:
        yield _describe_absence(client)
        return
    theirs = readiness.database_id
    if theirs is not None and theirs != await database.read_identity():
        raise MemferryError(
            f"{client.address} works on another database (identity {theirs}) than these settings "
            "name (MEMFERRY_DATABASE_URL, MEMFERRY_DATA_DIR)"
        )
    if not readiness.ready:
        raise MemferryError(f"{client.address} is {readiness.error or 'not ready'}")
    yield Finding("ok", f"{client.address} is ready")


def _describe_absence(client: ClientSettings) -> Finding:
    if client.url is None:
        # Nobody named a service: this may be the machine of a worker alone.
        return Finding("note", f"none at {client.address}; where it is, MEMFERRY_URL would tell")
    text = "does not answer; start it with: memferry serve (or set MEMFERRY_URL)"
    return Finding("wrong", f"{client.url} {text}")
